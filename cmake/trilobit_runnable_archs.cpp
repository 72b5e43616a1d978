// SPDX-License-Identifier: MIT
// Prints the back ends that this machine runs, as a list of CMake's.
#include <cstdio>

#include "trilobit/dispatch/cpu.hpp"

template <class... Archs>
void print(trilobit::type_list<Archs...>) {
    const auto machine = trilobit::dispatch::cpu::detect();
    const char* between = "";
    for (const std::string_view name : {std::string_view(Archs::name)...})
        if (machine.has(name)) {
            std::printf("%s%.*s", between, static_cast<int>(name.size()), name.data());
            between = ";";
        }
}

int main() { print(trilobit::archs{}); }
