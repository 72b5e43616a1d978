#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs any program of Debian's llama.cpp with our kernels for its 1-bit and ternary weights: fetches
# the one, builds the other where that was not done yet, and tells llama.cpp where the plug-in is.
#   scripts/llama.cpp llama-cli -m MODEL.gguf
#   scripts/llama.cpp                             names the programs
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
die() { printf 'llama.cpp: %s\n' "$*" >&2; exit 1; }

(cd "$here" && scripts/fetch-rivals | grep -v 'is there$' >&2 || [ "${PIPESTATUS[0]}" = 0 ]) ||
    die "llama.cpp could not be fetched (see above)"
programs=$here/build/rivals/bin
[ $# -gt 0 ] || { ls "$programs" | grep -vx run; exit 0; }
program=$programs/$1
{ [ "$1" != run ] && [[ "$1" != */* ]] && [ -x "$program" ]; } ||
    die "there is no program '$1'; there are: $(ls "$programs" | grep -vx run | tr '\n' ' ')"
shift

(
    cd "$here"
    . scripts/lib.sh
    scripts/bootstrap build
    [ -e build/release/lib/libggml-trilobit.so ] ||
        echo "llama.cpp: building the plug-in (two minutes the first time)"
    # The first time, of the back ends the best that this machine has; scripts/test builds all.
    archs=native
    [ ! -e build/release/build.ninja ] ||
        archs=$(sed -n 's/^TRILOBIT_ARCHS:[A-Z]*=//p' build/release/CMakeCache.txt)
    configure release "-DTRILOBIT_ARCHS=$archs"
    build release lib/libggml-trilobit.so
) >&2 || die "the plug-in could not be built (see above)"
export GGML_BACKEND_PATH=$here/build/release/lib/libggml-trilobit.so
unset RIVAL_BLAS
exec "$program" "$@"
