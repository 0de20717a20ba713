#!/bin/sh
# Makes the virtual environment of an image: docker/install.sh FLAVOUR, where docker/torch-FLAVOUR.txt names the build of torch.
set -eu

flavour=$1
here=$(dirname -- "$0")
if [ -e /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi

python3 -m venv /opt/relabel
pip=/opt/relabel/bin/pip

# Files with hashes name all that they need; a file without leaves that to the wheel.
locked=
if grep -q -- --hash "$here/torch-$flavour.txt"; then locked='--require-hashes --no-deps'; fi
# shellcheck disable=SC2086  # two options or none
$pip install $locked ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} --requirement "$here/torch-$flavour.txt" || {
    echo "
No torch for $flavour could be installed: its builds are on PyTorch's own index, not on the package registry.
Give --build-arg TORCH_INDEX_URL=ADDRESS; 'Get started' on pytorch.org shows the address after --index-url." >&2
    exit 1
}
$pip install --require-hashes --no-deps --requirement "$here/requirements.txt"
$pip check

"$here/prune.sh" "$here/not-needed.txt"
