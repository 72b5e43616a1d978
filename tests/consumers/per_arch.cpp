// SPDX-License-Identifier: MIT
// A consumer whose own loops are compiled for several instruction sets: each that this machine has
// runs, and a back end without loops of its own is served by a weaker one's.
#include <trilobit/dispatch/per_arch.hpp>

#include <cstdio>

#include "loops.hpp"

int main() {
    using mine = trilobit::dispatch::per_arch<consumer::loops, consumer::loops_of>;
    const float x[] = {1, 2, 3, 4, 5};
    const auto all = mine::available();
    if (all.empty() || all.front()->name != "generic" || &mine::best() != all.back()) return 1;
    for (const consumer::loops* l : all) {
        std::printf("%s: %d bytes\n", l->name.data(), l->register_bytes);
        if (l->sum(x, 5) != 15 || !mine::find(l->name).ok()) return 1;
        if (&mine::serving(l->name) != l) return 1;
    }
    const auto none = mine::find("nonsense");
    return !none.ok() && mine::serving("nonsense").name == "generic" ? 0 : 1;
}
