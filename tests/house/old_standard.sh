#!/bin/sh
# SPDX-License-Identifier: MIT
# A compiler without C++20 says so once, whichever header it meets first: each header includes
# version.hpp before all others, outside of any condition, and that ends the compilation.
#   old_standard.sh COMPILER [INCLUDE FOLDER]
set -u
compiler=$1
cd "${2:-include}" || exit 1
late=$(find trilobit -name '*.hpp' ! -path trilobit/version.hpp -exec awk '
    FNR == 1 { depth = 0; seen = 0 }
    /^ *# *if/ { ++depth }
    /^ *# *endif/ { --depth }
    /^ *# *include/ && !seen {
        seen = 1
        if (depth || $0 != "#include \"trilobit/version.hpp\"")
            print FILENAME ":" FNR ": version.hpp has to be included before this"
    }' {} +)
failed=0
[ -z "$late" ] || { printf '%s\n' "$late"; failed=1; }

for header in trilobit dispatch/dispatch testing/conformance layout/concept; do
    if said=$(printf '#include <trilobit/%s.hpp>\n' $header |
        "$compiler" -std=c++17 -fsyntax-only -I. -x c++ - 2>&1); then
        echo "$header.hpp compiles as C++17"
        failed=1
    # The second is the missing file at which the compiler stops.
    elif [ "$(printf '%s\n' "$said" | grep -c 'error:')" -gt 2 ] ||
        ! printf '%s\n' "$said" | grep -m 1 'error:' | grep -q 'trilobit needs C++20'; then
        echo "$header.hpp as C++17 says $(printf '%s' "$said" | wc -c) bytes, first:"
        printf '%s\n' "$said" | grep -m 1 'error:'
        failed=1
    fi
done
exit $failed
