#!/bin/sh
# SPDX-License-Identifier: MIT
# Looks at objects compiled with one instruction set's flags (trilobit_arch_<name>.cpp.o). Every
# function that the linker may share with other objects must carry the set's own name, otherwise
# another part of the program could end up running code that its CPU does not have. (Shared data is
# harmless: it holds no instructions.) Nor may such an object run anything at start-up, before the
# CPU has been looked at.
#   dispatch_symbols.sh NM OBJECT... (objects may also come as one list with semicolons)
set -u
nm=$1
shift

# Emitted by clang wherever noexcept meets a call; it calls std::terminate and nothing else.
allowed='^__clang_call_terminate$'

failed=0
seen=0
for object in $(printf '%s\n' "$@" | tr ';' '\n'); do
    name=$(basename "$object")
    case $name in trilobit_arch_*) ;; *) continue ;; esac
    arch=${name#trilobit_arch_}
    arch=${arch%%.*}
    seen=$((seen + 1))
    # In a mangled name a word is preceded by its length.
    word=${#arch}$arch
    "$nm" --defined-only "$object" >/dev/null 2>&1 || { echo "$object: cannot be read"; failed=1; continue; }
    # These two have no flags of their own: what they share is what any source would emit.
    case $arch in generic | sse2) word= ;; esac
    shared=$("$nm" --defined-only "$object" | awk '$2 ~ /^[Ww]$/ { print $3 }' |
        grep -vE "$allowed" | grep -vF "$word")
    if [ -n "$shared" ]; then
        echo "$name: shared functions that do not name $arch:"
        printf '%s\n' "$shared" | head -20 | sed 's/^/  /'
        failed=1
    fi
    if "$nm" "$object" | grep -E ' _GLOBAL__sub_I|__cxx_global_var_init'; then
        echo "$name: runs code at start-up"
        failed=1
    fi
done
if [ $seen = 0 ]; then echo "no per-arch object was given"; exit 1; fi
[ $failed = 0 ] && echo "$seen objects keep to themselves"
exit $failed
