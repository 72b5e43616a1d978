// SPDX-License-Identifier: MIT
// One program of three parts, built without an optimiser: against these headers, and against the
// same whose packed version, or whose version, is one higher. Each keeps to its own.
#include <trilobit/version.hpp>

#include <cstdio>

int part_of_now();
int part_of_next_packed();
int part_of_next_patch();

int main() {
    const int now = part_of_now(), packed = part_of_next_packed(), patch = part_of_next_patch();
    std::printf("packed versions %d, %d and %d\n", now, packed, patch);
    return now == TRILOBIT_PACKED_VERSION && packed == now + 1 && patch == now ? 0 : 1;
}
