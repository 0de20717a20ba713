#!/usr/bin/env bash
# Builds the image, pushes it to Amazon ECR, and looks whether what lies there is what SageMaker takes.
set -euo pipefail

usage() {
    cat <<'EOF'
usage: build_and_push.sh [OPTION...] [-- ARGUMENT OF docker build...]

  --variant cpu|text|cuda
                        which image (default cpu); text is cpu with what encoders and boosted trees need
  --region REGION       where to push (default: AWS_REGION, AWS_DEFAULT_REGION, then the AWS configuration)
  --repository NAME     repository, made when missing, its images scanned when pushed (default relabel)
  --tag TAG             in place of VERSION-VARIANT; the git tag COMMIT-VARIANT is set beside it
  --platform PLATFORM   linux/amd64 (default) or, for cpu and text, linux/arm64
  --no-push             build only
  --verify              neither build nor push: look at what was pushed
  --dry-run             print the commands, run none; needs neither AWS nor a Docker engine

The last line of the output is the image's address by digest, which never changes its meaning.

environment:
  TORCH_INDEX_URL CUDA BASE_IMAGE
                        given to the build where they are set: see docker/Dockerfile
  RELABEL_CA_FILE       certificate authority for the build
  RELABEL_REGISTRY      HOST[:PORT] in place of ECR's own address, for a stand-in of ECR
  DOCKER                the client (default docker)
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

# ask PERMISSION COMMAND...: run a command of AWS; where it fails, say why and what to do.
ask() {
    local permission=$1 said
    shift
    if "$@" 2>"$scratch/errors"; then return; fi
    said=$(tr '\n' ' ' <"$scratch/errors")
    case $said in
        *RepositoryAlreadyExists*) ;; # somebody else has made it since
        *AccessDenied* | *'not authorized'*) die "no permission: allow $permission to this identity (docs/on_sagemaker.md has the smallest policy). $said" ;;
        *'locate credentials'* | *ExpiredToken* | *InvalidClientTokenId* | *UnrecognizedClient* | *'security token'* | *'SSO session'* | *'Error loading SSO'*)
            die "no valid AWS credentials: run 'aws configure' or 'aws sso login', or set AWS_PROFILE. $said" ;;
        *) die "$permission failed: $said" ;;
    esac
}

read_arguments() {
    variant=cpu region='' repository=relabel tag='' platform=linux/amd64 dry_run=no doing=all
    while [ $# -gt 0 ]; do
        case $1 in
            --variant | --region | --repository | --tag | --platform)
                [ $# -ge 2 ] || die "$1 needs a value" 2
                printf -v "${1#--}" %s "$2"
                shift 2
                ;;
            --no-push) doing=build; shift ;;
            --verify) doing=verify; shift ;;
            --dry-run) dry_run=yes; shift ;;
            -h | --help) usage; exit ;;
            --) shift; break ;;
            *) usage >&2; die "unknown argument $1" 2 ;;
        esac
    done
    build_arguments=("$@")
    case $variant-$platform in
        cpu-linux/amd64 | cpu-linux/arm64 | text-linux/amd64 | text-linux/arm64 | cuda-linux/amd64) ;;
        cuda-linux/arm64) die "--platform linux/arm64 is for --variant cpu or text: the GPU instances of SageMaker are linux/amd64" 2 ;;
        cpu-* | text-* | cuda-*) die "--platform is $platform: give linux/amd64 or linux/arm64" 2 ;;
        *) die "--variant is $variant: give cpu, text or cuda" 2 ;;
    esac
}

# Version and commit name the image.
name_image() {
    version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' src/relabel/__init__.py)
    commit=$(git describe --always --dirty --abbrev=12 --exclude '*') || die "no git commit to name the image after"
    tags=("${tag:-$version-$variant}" "$commit-$variant")
}

# The registry's address from who is asking.
find_registry() {
    local account=ACCOUNT arn=arn:aws: suffix=amazonaws.com
    region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-}}}
    if [ "$dry_run" = no ]; then
        command -v aws >/dev/null || die "no aws command: install the AWS CLI, or use --no-push"
        region=${region:-$(aws configure get region || true)}
        [ -n "$region" ] || die "no region: give --region" 2
        ask sts:GetCallerIdentity aws sts get-caller-identity --query '[Account, Arn]' --output text --region "$region" >"$scratch/identity"
        read -r account arn <"$scratch/identity"
    fi
    region=${region:-REGION}
    case $arn$region in arn:aws-cn:* | *cn-*) suffix=amazonaws.com.cn ;; esac
    registry=${RELABEL_REGISTRY:-$account.dkr.ecr.$region.$suffix}
}

build() {
    # Hosting takes Docker v2 manifests only: no attestations, which would make an OCI index of it.
    local command=("$docker" build) name each
    if "$docker" buildx version >/dev/null 2>&1; then
        command=("$docker" buildx build --load --provenance=false --sbom=false)
    fi
    command+=(--platform "$platform" --file docker/Dockerfile --target "$variant")
    for each in "${tags[@]}"; do command+=(--tag "$image:$each"); done
    command+=(--build-arg "VERSION=$version" --build-arg "REVISION=$commit")
    for name in TORCH_INDEX_URL CUDA BASE_IMAGE; do
        if [ -n "${!name:-}" ]; then command+=(--build-arg "$name=${!name}"); fi
    done
    if [ -n "${RELABEL_CA_FILE:-}" ]; then command+=(--secret "id=ca,src=$RELABEL_CA_FILE"); fi
    export DOCKER_BUILDKIT=1
    run "${command[@]}" "${build_arguments[@]}" .
}

make_repository() {
    local describe=(aws ecr describe-repositories --region "$region" --repository-names "$repository")
    local create=(aws ecr create-repository --region "$region" --repository-name "$repository" --image-scanning-configuration scanOnPush=true)
    printf '+%s ||%s\n' "$(quoted "${describe[@]}")" "$(quoted "${create[@]}")"
    if [ "$dry_run" = yes ] || "${describe[@]}" >/dev/null 2>&1; then return; fi
    ask ecr:CreateRepository "${create[@]}" >/dev/null
}

log_in() {
    local ask_password=(aws ecr get-login-password --region "$region")
    local login=("$docker" login --username AWS --password-stdin "$registry")
    printf '+%s |%s\n' "$(quoted "${ask_password[@]}")" "$(quoted "${login[@]}")"
    if [ "$dry_run" = yes ]; then return; fi
    ask ecr:GetAuthorizationToken "${ask_password[@]}" >"$scratch/password"
    "${login[@]}" <"$scratch/password" >"$scratch/login" 2>&1 || die "$registry refuses the login: $(tail -n 1 "$scratch/login")"
}

push() {
    local each pause
    for each in "${tags[@]}"; do
        for pause in 2 8 20 ''; do
            if run "$docker" push "$image:$each" 2>"$scratch/push"; then break; fi
            if grep --quiet --ignore-case --extended-regexp 'denied|unauthorized|no basic auth' "$scratch/push"; then
                die "no permission to push: allow ecr:InitiateLayerUpload, ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:PutImage and ecr:BatchCheckLayerAvailability on $repository. $(tail -n 1 "$scratch/push")"
            fi
            [ -n "$pause" ] || die "the push failed four times: $(tail -n 1 "$scratch/push")"
            printf 'the push failed (%s); again in %s s\n' "$(tail -n 1 "$scratch/push")" "$pause"
            sleep "$pause"
        done
    done
}

# Look at the manifest that the registry keeps, and print the image's address by digest.
verify() {
    local wanted=application/vnd.docker.distribution.manifest.v2+json scheme=https found digest
    case $registry in localhost:* | 127.*) scheme=http ;; esac
    local manifest=$scheme://$registry/v2/$repository/manifests/${tags[0]}
    printf '+ curl %s\n' "$manifest"
    if [ "$dry_run" = yes ]; then printf '%s\n' "$image@sha256:DIGEST"; return; fi
    printf 'user = "AWS:%s"\n' "$(<"$scratch/password")" | curl --config - --silent --show-error --fail --location --retry 3 \
        --header "Accept: $wanted" --header 'Accept: application/vnd.oci.image.manifest.v1+json' \
        --header 'Accept: application/vnd.oci.image.index.v1+json' \
        --header 'Accept: application/vnd.docker.distribution.manifest.list.v2+json' \
        --dump-header "$scratch/headers" --output /dev/null "$manifest" || die "$image:${tags[0]} is not in the registry, or it may not be read (ecr:BatchGetImage)"
    found=$(tr -d '\r' <"$scratch/headers" | sed -n 's/^content-type: *//Ip' | tail -n 1)
    digest=$(tr -d '\r' <"$scratch/headers" | sed -n 's/^docker-content-digest: *//Ip' | tail -n 1)
    [ "$found" = "$wanted" ] || die "SageMaker would refuse $image:${tags[0]}: its manifest is $found, needed is $wanted. Build it with this script, or with 'docker buildx build --provenance=false --sbom=false --output type=image,oci-mediatypes=false'"
    printf '%s\n' "$image@$digest"
}

docker=${DOCKER:-docker}
read_arguments "$@"
cd "$(dirname -- "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
name_image
image=$repository
if [ "$doing" != build ]; then
    find_registry
    image=$registry/$repository
fi
if [ "$doing" != verify ]; then
    if [ "$dry_run" = no ]; then
        "$docker" info >/dev/null 2>&1 || die "no Docker engine answers '$docker info': start it, or name the client in DOCKER"
    fi
    build
fi
if [ "$doing" = build ]; then exit; fi
if [ "$doing" = all ]; then make_repository; fi
log_in
if [ "$doing" = all ]; then push; fi
verify
