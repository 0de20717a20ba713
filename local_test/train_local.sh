#!/usr/bin/env bash
# Trains as SageMaker would: train_local.sh IMAGE. Reads test_dir/input, writes test_dir/model, test_dir/output and test_dir/checkpoints.
# TEST_DIR names another folder, laid out like test_dir; DOCKER another client.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

image_of "$@"
mkdir -p "$test_dir/model" "$test_dir/output" "$test_dir/checkpoints"
exec "$docker" run --rm --network none --user "$(id -u):$(id -g)" --volume "$test_dir:/opt/ml" "$image" train
