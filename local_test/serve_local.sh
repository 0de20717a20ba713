#!/usr/bin/env bash
# Serves test_dir/model until Ctrl-C, on this machine alone: serve_local.sh IMAGE. PORT is 8080 unless it is set; TEST_DIR names another folder.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

image_of "$@"
[ -e "$test_dir/model/model.json" ] || die "no model in $test_dir/model: run train_local.sh first"
exec "$docker" run --rm --user "$(id -u):$(id -g)" --publish "127.0.0.1:$port:8080" \
    --volume "$test_dir/model:/opt/ml/model:ro" --name "relabel-local-$port" "$image" serve
