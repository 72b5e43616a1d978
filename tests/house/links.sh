#!/bin/sh
# SPDX-License-Identifier: MIT
# Every link of a page to something in the repository leads to a file that is there.
#   links.sh [PAGE.md...]
set -u
[ $# -gt 0 ] || set -- README.md CONTRIBUTING.md docs/*.md examples/models/README.md
failed=0
for page in "$@"; do
    for target in $(grep -oE '\]\([^) ]+\)' "$page" | sed 's/^](//; s/)$//; s/#.*//' | sort -u); do
        case $target in *://*) continue ;; esac
        [ -e "$(dirname "$page")/$target" ] && continue
        echo "$page: there is no $target"
        failed=1
    done
done
exit $failed
