# shellcheck shell=bash disable=SC2034
# What the scripts of this folder share; they source it.
set -euo pipefail

docker=${DOCKER:-docker}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
test_dir=${TEST_DIR:-$here/test_dir}
port=${PORT:-8080}

die() {
    printf '%s: %s\n' "$(basename -- "$0")" "$1" >&2
    exit 1
}

# The image that was named, once it is sure that there is an engine and that it has the image.
image_of() {
    [ $# -eq 1 ] || die "give the image, for example: $(basename -- "$0") relabel"
    "$docker" info >/dev/null 2>&1 || die "no Docker engine answers '$docker info': start it, or name the client in DOCKER"
    "$docker" image inspect "$1" >/dev/null 2>&1 || die "there is no image $1: build it with docker build, or ../build_and_push.sh --no-push"
    image=$1
}
