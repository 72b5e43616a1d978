#!/bin/sh
# SPDX-License-Identifier: MIT
# The check of the one-way includes must itself refuse what it is there for.
set -u
check=$(pwd)/tests/house/one_way_includes.sh
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/include/trilobit/core" "$root/include/trilobit/pack" "$root/include/trilobit/simd" \
    "$root/examples/gguf" "$root/examples/model" "$root/examples/train"

failed=0
expect() { # $1: ok or refused, $2: file, $3: its text
    printf '%s\n' "$3" >"$root/$2"
    if sh "$check" "$root" >/dev/null 2>&1; then got=ok; else got=refused; fi
    [ $got = "$1" ] || { echo "$2 with '$3' was $got, expected $1"; failed=1; }
    rm "$root/$2"
}
expect ok include/trilobit/pack/a.hpp '#include "trilobit/core/b.hpp"'
expect ok include/trilobit/pack/a.hpp '#include <vector>'
expect refused include/trilobit/core/a.hpp '#include "trilobit/pack/b.hpp"'
expect refused include/trilobit/core/a.hpp '#  include <trilobit/pack/b.hpp>'
expect refused include/trilobit/core/a.hpp '#include "../pack/b.hpp"'
expect refused include/trilobit/core/a.hpp '#include <trilobit/trilobit.hpp>'
expect refused include/trilobit/core/a.hpp '#include <trilobit/testing/b.hpp>'
expect refused include/trilobit/pack/a.hpp '#include <xsimd/xsimd.hpp>'
expect ok include/trilobit/simd/a.hpp '#include <xsimd/xsimd.hpp>'
expect refused include/trilobit/core/a.hpp '#include "examples/gguf/reader.hpp"'
expect ok examples/model/a.hpp '#include "gguf/reader.hpp"'
expect refused examples/gguf/a.cpp '#include "model/config.hpp"'
expect ok examples/train/a.cpp '#include "gguf/writer.hpp"'
expect ok examples/train/a.cpp '#include "model/elementary.hpp"'
expect refused examples/model/a.cpp '#include "train/config.hpp"'
expect refused examples/train/a.cpp '#include "runner/options.hpp"'
exit $failed
