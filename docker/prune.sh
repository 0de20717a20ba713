#!/bin/sh
# Takes out of the image's packages what it does not need: docker/prune.sh FILE, a shell pattern below site-packages per line of it.
set -eu

list=$(grep --invert-match --extended-regexp '^(#|$)' "$1")
cd /opt/relabel/lib/python3*/site-packages
printf '%s\n' "$list" | while read -r pattern; do
    # shellcheck disable=SC2086  # a pattern
    rm -rf $pattern
done
