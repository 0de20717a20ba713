#!/usr/bin/env bash
# Builds the image and pushes it to Amazon ECR, tagged with the version and with the git commit.
set -euo pipefail

usage() {
    cat <<'EOF'
usage: build_and_push.sh [OPTION...] [-- ARGUMENT OF docker build...]

  --variant cpu|cuda    which image (default cpu)
  --region REGION       where to push (default: AWS_REGION, AWS_DEFAULT_REGION, then the AWS configuration)
  --repository NAME     repository, made when missing (default relabel)
  --tag TAG             in place of VERSION-VARIANT; the git tag COMMIT-VARIANT is set beside it
  --platform PLATFORM   default linux/amd64
  --no-push             build only
  --dry-run             print the commands, run none; needs neither AWS nor a Docker engine

DOCKER names the client (default docker).
example: build_and_push.sh --region eu-west-1 -- --build-arg BASE_IMAGE=my/python:3.12
EOF
}

die() {
    printf 'build_and_push.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

quoted() { printf ' %q' "$@"; }

# Print a command; run it unless this is a dry run.
run() {
    printf '+%s\n' "$(quoted "$@")"
    if [ "$dry_run" = no ]; then "$@"; fi
}

docker=${DOCKER:-docker}
variant=cpu region='' repository=relabel tag='' platform=linux/amd64 push=yes dry_run=no
value() { [ $# -ge 2 ] || die "$1 needs a value" 2; }
while [ $# -gt 0 ]; do
    case $1 in
        --variant) value "$@"; variant=$2; shift 2 ;;
        --region) value "$@"; region=$2; shift 2 ;;
        --repository) value "$@"; repository=$2; shift 2 ;;
        --tag) value "$@"; tag=$2; shift 2 ;;
        --platform) value "$@"; platform=$2; shift 2 ;;
        --no-push) push=no; shift ;;
        --dry-run) dry_run=yes; shift ;;
        -h | --help) usage; exit ;;
        --) shift; break ;;
        *) usage >&2; die "unknown argument $1" 2 ;;
    esac
done
case $variant in cpu | cuda) ;; *) die "--variant is $variant: give cpu or cuda" 2 ;; esac

cd "$(dirname -- "$0")"
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' src/relabel/__init__.py)
commit=$(git describe --always --dirty --abbrev=12 --exclude '*') || die "no git commit to name the image after"
tags=("${tag:-$version-$variant}" "$commit-$variant")

image=$repository
if [ "$push" = yes ]; then
    region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-}}}
    account=ACCOUNT partition=aws
    if [ "$dry_run" = no ]; then
        command -v aws >/dev/null || die "no aws command: install the AWS CLI, or use --no-push"
        region=${region:-$(aws configure get region || true)}
        identity=$(aws sts get-caller-identity --query '[Account, Arn]' --output text) || die "no AWS credentials: see 'aws configure'"
        read -r account arn <<<"$identity"
        partition=$(cut -d: -f2 <<<"$arn")
    elif [[ $region == cn-* ]]; then
        partition=aws-cn
    fi
    [ -n "$region" ] || { [ "$dry_run" = yes ] && region=REGION; } || die "no region: give --region" 2
    suffix=amazonaws.com
    if [ "$partition" = aws-cn ]; then suffix=amazonaws.com.cn; fi
    registry=$account.dkr.ecr.$region.$suffix
    image=$registry/$repository
fi

# Hosting takes Docker v2 manifests only: no attestations, which would make an OCI index of it.
build=("$docker" build)
if "$docker" buildx version >/dev/null 2>&1; then
    build=("$docker" buildx build --load --provenance=false --sbom=false)
fi
export DOCKER_BUILDKIT=1
named=()
for each in "${tags[@]}"; do named+=(--tag "$image:$each"); done
run "${build[@]}" --platform "$platform" --file docker/Dockerfile --target "$variant" "${named[@]}" "$@" .

if [ "$push" = no ]; then exit; fi

create=(aws ecr create-repository --region "$region" --repository-name "$repository" --image-scanning-configuration scanOnPush=true)
describe=(aws ecr describe-repositories --region "$region" --repository-names "$repository")
if [ "$dry_run" = yes ]; then
    printf '+%s ||%s\n' "$(quoted "${describe[@]}")" "$(quoted "${create[@]}")"
elif ! "${describe[@]}" >/dev/null 2>&1; then
    run "${create[@]}"
fi
password=(aws ecr get-login-password --region "$region")
login=("$docker" login --username AWS --password-stdin "$registry")
printf '+%s |%s\n' "$(quoted "${password[@]}")" "$(quoted "${login[@]}")"
if [ "$dry_run" = no ]; then "${password[@]}" | "${login[@]}"; fi
for each in "${tags[@]}"; do run "$docker" push "$image:$each"; done
printf '%s\n' "$image:${tags[0]}"
