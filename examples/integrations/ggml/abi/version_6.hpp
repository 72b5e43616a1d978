// SPDX-License-Identifier: MIT
// Room integrations. Enters: nothing. Leaves: the buffer type of version 6 of ggml's back-end
// interface: what llama.cpp's sources say since; no host of it was met yet. One function for
// allocations that are made of others.
#pragma once

#include "integrations/ggml/abi/types.hpp"

namespace tbx::ggml::version_6 {

struct buffer_type_layout {
    const char* (*name)(buffer_type*) = nullptr;
    buffer* (*alloc)(buffer_type*, std::size_t) = nullptr;
    std::size_t (*alignment)(buffer_type*) = nullptr;
    std::size_t (*largest)(buffer_type*) = nullptr;
    std::size_t (*tensor_size)(buffer_type*, const tensor*) = nullptr;
    bool (*is_host)(buffer_type*) = nullptr;
    const void* (*composite)(buffer_type*) = nullptr;
    ggml::device* device = nullptr;
    void* context = nullptr;
};
static_assert(offsetof(buffer_type_layout, device) == 0x38);

}  // namespace tbx::ggml::version_6
