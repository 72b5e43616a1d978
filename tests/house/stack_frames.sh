#!/bin/sh
# SPDX-License-Identifier: MIT
# Reads what the compiler wrote of stack frames beside each object (-fstack-usage): none of the
# library may be larger than 16 KiB, nor of a size that nobody knows. Threads of musl have 128 KiB of
# stack, those of WebAssembly 64, and who goes past the end of it writes elsewhere.
#   stack_frames.sh OBJECT... (objects may also come as one list with semicolons)
set -u
limit=16384
tab=$(printf '\t')
seen=0
failed=0
for object in $(printf '%s\n' "$@" | tr ';' '\n'); do
    frames=${object%.*}.su
    if [ ! -e "$frames" ]; then
        echo "$object has no list of stack frames beside it"
        failed=1
        continue
    fi
    # GCC says in which file a function is written, clang a mangled name. What an object for one
    # instruction set holds is the library's, whoever wrote it.
    case $(basename "$object") in
        trilobit_arch_*) ours=. ;;
        *) ours='include/trilobit/|:_Z[ZNKVRO]*8trilobit' ;;
    esac
    found=$(grep -cE "$ours" "$frames")
    if [ "$found" = 0 ]; then
        echo "$frames names no function of the library"
        failed=1
    fi
    seen=$((seen + found))
    grep -E "$ours" "$frames" | awk -F "$tab" -v limit=$limit -v of="$(basename "$object")" '
        $2 > limit || $3 == "dynamic" {
            if (++bad <= 5) print of ": " $2 " bytes, " $3 ": " $1
        }
        END {
            if (bad > 5) print of ": and " bad - 5 " more"
            exit bad > 0
        }' || failed=1
done
if [ $seen = 0 ]; then echo "no stack frame was seen"; exit 1; fi
[ $failed = 0 ] && echo "$seen stack frames of at most $limit bytes"
exit $failed
