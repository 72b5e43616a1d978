#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the page and runs a test of it; exit 4, which ctest knows as a skip, where something that it
# takes is not here.
#   run.sh TEST.mjs
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
skip() { printf 'skipped: %s\n' "$*"; exit 4; }
mkdir -p "$root/build"
# Tests run side by side, and one of them builds.
locked() { flock "$root/build/.web.lock" "$@" 2>&1; }
status=0
said=$(locked "$root/scripts/page") || status=$?
[ $status != 3 ] || skip "$said"
[ $status = 0 ] || { printf '%s\n' "$said"; exit 1; }
if [ "$1" = page_test.mjs ]; then
    TRILOBIT_CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
        skip "no Chromium (apt-get install chromium)"
    export TRILOBIT_CHROMIUM
    said=$(locked "$root/scripts/fetch-web") || skip "$said"
fi
exec node --test-reporter=spec "$here/$1"
