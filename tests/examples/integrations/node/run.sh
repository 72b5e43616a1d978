#!/bin/sh
# SPDX-License-Identifier: MIT
# Tests with node-llama-cpp, fetched where it is missing; exit 4, which ctest knows as a skip, where
# it cannot be had.
#   run.sh TEST.mjs
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
mkdir -p "$root/build"
# Tests run side by side, and one of them fetches.
fetch=$root/scripts/fetch-node-llama-cpp
if ! said=$(flock "$root/build/.node-llama-cpp.lock" "$fetch" 2>&1); then
    printf 'skipped: %s\n' "$said"
    exit 4
fi
exec node "$here/$1"
