#!/bin/sh
# SPDX-License-Identifier: MIT
# The check of links finds one that leads nowhere, and lets others pass.
set -u
links=$(dirname "$0")/links.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/docs"
echo '[up](../a.md#there), [away](https://example.org/nowhere.md), [here](#below)' >"$folder/docs/b.md"
touch "$folder/a.md"
sh "$links" "$folder/docs/b.md" || { echo "links that are right are refused"; exit 1; }
echo '![picture](plots/none.svg)' >>"$folder/docs/b.md"
sh "$links" "$folder/docs/b.md" >/dev/null && { echo "a picture that is not there is not missed"; exit 1; }
exit 0
