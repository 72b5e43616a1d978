// SPDX-License-Identifier: MIT
// Room limits. Enters: a number of threads. Leaves: what this machine can do with them at best:
// core frequency, multiply-adds per second of each instruction set, bytes per second from DRAM.
// Speeds mean something only as fractions of these, taken in the same run.
//
//   trilobit_limits::memory_probe probe(threads);       // once; holds about 5 times the L3 cache
//   probe.round();                                      // twice. Between your own repetitions:
//   probe.best().gb_per_s                               // the limit so far
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace trilobit_limits {

struct read_bandwidth {
    double gb_per_s = 0;         ///< 1e9 bytes
    std::size_t page_bytes = 0;  ///< of the pages that gave it: 4096 or 2 MiB
};

/// Reads memory that no cache holds, in each round some from 4 KiB and some from 2 MiB pages.
/// Machines see different memory from minute to minute, so rounds belong between the repetitions
/// of what is compared with them.
class memory_probe {
    struct state;
    std::unique_ptr<state> own;

public:
    explicit memory_probe(int threads);
    ~memory_probe();
    memory_probe(memory_probe&&) noexcept;
    memory_probe& operator=(memory_probe&&) noexcept;

    /// The better of this round's two. All zeros where memory for the buffers could not be had.
    read_bandwidth round();
    /// Median over rounds for each page size; the larger of the two.
    [[nodiscard]] read_bandwidth best() const;
    [[nodiscard]] std::size_t buffer_bytes() const;
};

/// A probe of its own, five rounds.
read_bandwidth measure_read_bandwidth(int threads);

/// What has to be walked through between two uses of some bytes for these to come from DRAM:
/// 2.5 times the last-level cache, at least 256 MiB, at most a quarter of the memory now free; or
/// what the environment variable TRILOBIT_COLD_MIB says.
std::size_t cold_bytes();

/// Multiply-adds per second of `threads` threads together in the instruction that bounds the `dot`
/// kernels of a back end, from registers alone; best of several tries. 0 if the machine or this
/// build lacks the back end.
double dot_peak_macs_per_second(std::string_view arch, int threads);
/// The name of that instruction; empty if there is no such back end.
std::string_view dot_peak_instruction(std::string_view arch);

/// Cycles per second of a core now, by a chain of dependent additions, one a cycle on every
/// processor since the nineties; there may be no performance counters. 0 if not known how to.
/// Heavy AVX-512 code may run slower than this, so cycles counted with it err on the high side.
double core_hertz();

}  // namespace trilobit_limits
