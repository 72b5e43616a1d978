// SPDX-License-Identifier: MIT
// A consumer whose program carries several instruction sets: the best one is found and named.
#include <trilobit/dispatch/dispatch.hpp>

#include <cstdio>
#include <string>

int main() {
    const auto active = trilobit::dispatch::active();
    if (!active.ok()) {
        std::printf("%s\n", active.error().text);
        return 1;
    }
    std::printf("%s\n", std::string(active.value()->name).c_str());
    return 0;
}
