#!/usr/bin/env bash
# Resolves what the image holds anew, with hashes: docker/requirements.txt for every target, docker/requirements-text.txt for what the target
# text adds (encoders, boosted trees, MLflow's client), docker/torch-cu130.txt for torch as the package registry has it. Versions are those of constraints.txt, with which the tests run.
# `make lock` calls this.
set -euo pipefail
cd "$(dirname -- "$0")/.."
uv=$1

# resolved EXTRA...: what these extras need, each requirement with the lines of its hashes.
resolved() {
    "$uv" pip compile pyproject.toml "${@/#/--extra=}" --constraint constraints.txt --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet
}

head='# Made by make lock: do not edit.'
every=$(resolved train serve)
text=$(resolved train serve text mlflow)

# A requirement and the lines of its hashes go to one of the two files.
awk -v head="$head" '
    BEGIN { print head > "docker/requirements.txt"; print head > "docker/torch-cu130.txt" }
    /^[a-z]/ { file = /^(torch|triton|cuda-[a-z]+|nvidia-[a-z0-9-]+)==/ ? "docker/torch-cu130.txt" : "docker/requirements.txt" }
    { print > file }
' <<<"$every"

# What text adds is what the others do not need.
awk -v head="$head" '
    BEGIN { print head }
    FNR == NR { if (/^[a-z]/) there[$1]; next }
    /^[a-z]/ { added = !($1 in there) }
    added
' <(printf '%s\n' "$every") <(printf '%s\n' "$text") >docker/requirements-text.txt

build=$("$uv" pip compile - --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet <<<hatchling)
printf '%s\n%s\n' "$head" "$build" >docker/requirements-build.txt
