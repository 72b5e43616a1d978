// SPDX-License-Identifier: MIT
// Room integrations. Enters: allocations of the host. Leaves: two types of buffer. One is plain
// memory that the CPU reads as well, for activations; a buffer becomes the other as soon as packed
// weights are placed in it, whose bytes mean nothing to anybody else.
#pragma once

#include <span>

#include <trilobit/pack/packed_view.hpp>

#include "integrations/ggml/abi/types.hpp"

namespace tbx::ggml {

/// Lays the types out as the host's version has them.
void make_buffer_types(device* of);

/// What the host is offered.
buffer_type* own_buffer_type() noexcept;

bool is_ours(const buffer_type* type) noexcept;

/// The matrices of a weight tensor in one of our buffers; none where they were not set, or refused.
std::span<const trilobit::packed_view> packed_weights(const tensor& t) noexcept;

}  // namespace tbx::ggml
