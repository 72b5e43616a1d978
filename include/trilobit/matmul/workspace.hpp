// SPDX-License-Identifier: MIT
// Room matmul. Enters: how many bytes a multiplication needs beside its arguments. Leaves: those
// bytes, kept from call to call, so that a loop over layers allocates only at its start.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/core/aligned_buffer.hpp"
#include "trilobit/matmul/table.hpp"
#include "trilobit/matmul/thread_memory.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

namespace detail {

/// Where the parts of a workspace lie, in bytes from its start.
struct workspace_layout {
    std::int64_t values = 0, scales = 0, operand = 0, size = 0;

    static workspace_layout of(const kernel_entry& kernel, const packed_shape& w,
                               const activation_shape& x) noexcept {
        workspace_layout at;
        at.scales = round_up(x.value_bytes(), 64);
        at.operand = at.scales + round_up(x.scale_bytes(), 64);
        at.size = at.operand + round_up(kernel.operand_bytes(w, x), 64);
        return at;
    }
};

}  // namespace detail

/// Grows to what its calls need and never shrinks: a call that needs no more than those before it
/// allocates nothing. One for each thread that calls matmul().
class workspace {
    aligned_buffer own, sorted;

    static std::byte* grow(aligned_buffer& to, std::int64_t bytes) noexcept {
        const auto wanted = static_cast<std::size_t>(bytes);
        if (wanted > to.size()) to = aligned_buffer(wanted + wanted / 4);
        return wanted > to.size() ? nullptr : to.data();
    }

public:
    /// Null when memory is short. Contents are not kept when it grows.
    [[nodiscard]] std::byte* reserve(std::int64_t bytes) noexcept { return grow(own, bytes); }
    /// The same, beside it: the order of tokens that matmul_indexed() sorts.
    [[nodiscard]] std::byte* reserve_order(std::int64_t bytes) noexcept {
        return grow(sorted, bytes);
    }
    /// What each thread has for itself.
    detail::thread_memory threads;
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
