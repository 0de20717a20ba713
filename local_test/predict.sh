#!/usr/bin/env bash
# Asks what serve_local.sh serves: predict.sh PAYLOAD [CONTENT_TYPE]. The content type is told from the file's ending. The answer is of the same
# type, but for numpy's, which is not for reading: that is answered in JSON.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

[ $# -ge 1 ] || die "give a file, for example: predict.sh payloads/embeddings.json"
payload=$1
[ -f "$payload" ] || die "there is no file $payload"
case ${2:-$payload} in
    *.json) type=application/json ;;
    *.jsonl) type=application/jsonlines ;;
    *.csv) type=text/csv ;;
    *.npy) type=application/x-npy ;;
    *.txt) type=text/plain ;;
    */*) type=${2:-} ;;
    *) die "say the content type of $payload: predict.sh $payload application/json" ;;
esac
[ -n "$type" ] || die "say the content type of $payload: predict.sh $payload application/json"

accept=$type
if [ "$type" = application/x-npy ]; then accept=application/json; fi
curl --silent --show-error --fail-with-body --header "Content-Type: $type" --header "Accept: $accept" --data-binary "@$payload" \
    "http://127.0.0.1:$port/invocations" || die "the endpoint on port $port refused, or there is none: run serve_local.sh in another terminal"
