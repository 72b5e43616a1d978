# SPDX-License-Identifier: MIT
# Sourced by scripts/run and scripts/test: quiet builds that explain themselves when they fail.

jobs=$(nproc 2>/dev/null || echo 2)

# configure PRESET [ARGUMENT...]
configure() {
    local preset=$1 log=build/$1.configure.log
    shift
    mkdir -p build
    cmake --preset "$preset" "$@" >"$log" 2>&1 </dev/null && return
    cat "$log" >&2
    return 1
}

# build PRESET [TARGET...]; ninja's own one-line progress on a terminal, silence elsewhere.
build() {
    local preset=$1 log=build/$1.build.log
    shift
    local command=(ninja -C "build/$preset" -j "$jobs" "$@")
    if [ -t 1 ]; then
        "${command[@]}" --quiet </dev/null
        return
    fi
    "${command[@]}" >"$log" 2>&1 </dev/null && return
    # What compiled is of no interest, what did not is at the end.
    grep -vE '^\[[0-9]+/[0-9]+\]' "$log" | tail -n 80 >&2
    return 1
}
