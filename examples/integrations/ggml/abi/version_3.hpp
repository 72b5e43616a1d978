// SPDX-License-Identifier: MIT
// Room integrations. Enters: nothing. Leaves: the buffer type of version 3 of ggml's back-end
// interface: ggml 0.27, such as in Debian's llama.cpp 0.7.0. Two functions take many tensors at
// once.
#pragma once

#include "integrations/ggml/abi/types.hpp"

namespace tbx::ggml::version_3 {

struct buffer_type_layout {
    const char* (*name)(buffer_type*) = nullptr;
    buffer* (*alloc)(buffer_type*, std::size_t) = nullptr;
    buffer* (*alloc_many)() = nullptr;
    std::size_t (*alignment)(buffer_type*) = nullptr;
    std::size_t (*largest)(buffer_type*) = nullptr;
    std::size_t (*tensor_size)(buffer_type*, const tensor*) = nullptr;
    std::size_t (*many_tensors_size)() = nullptr;
    bool (*is_host)(buffer_type*) = nullptr;
    ggml::device* device = nullptr;
    void* context = nullptr;
};
static_assert(offsetof(buffer_type_layout, device) == 0x40);

}  // namespace tbx::ggml::version_3
