// SPDX-License-Identifier: MIT
// Room matmul. Enters: kernels, an executor, choices. Leaves: all that a product needs beside its
// operands, in one object, with memory that is kept from call to call.
#pragma once

#include "trilobit/version.hpp"

#include <cstdint>
#include <limits>

#include "trilobit/core/aligned_buffer.hpp"
#include "trilobit/core/executor.hpp"
#include "trilobit/matmul/table.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

struct matmul_options {
    activation_id activation = activation_id::int8;
    int activation_group = 0;  ///< columns that share an activation scale; 0 is the whole token
    kernel_id kernel = kernel_id::automatic;
};

/// Memory that grows to what is asked of it and never shrinks.
class workspace {
    aligned_buffer own;

public:
    /// At least so many bytes, from a cache line on; null when memory is short. Contents are not
    /// kept when it grows.
    [[nodiscard]] std::byte* reserve(std::int64_t bytes) noexcept {
        constexpr auto most = std::numeric_limits<std::ptrdiff_t>::max() / 2;
        if (bytes < 0 || bytes > std::int64_t{most}) return nullptr;
        const auto wanted = static_cast<std::size_t>(bytes);
        if (wanted > own.size()) own = aligned_buffer(wanted + wanted / 4);
        return wanted > own.size() ? nullptr : own.data();
    }
};

/// The first argument of every product. It serves one call at a time; kernels and executor outlive
/// it. A second call of the same shapes allocates nothing.
struct context {
    const kernel_table& kernels;
    executor_ref threads{};  ///< where none is given, the calling thread alone
    matmul_options options{};
    workspace scratch{};  ///< of the plan
    workspace order{};    ///< of tokens, sorted by their experts
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
