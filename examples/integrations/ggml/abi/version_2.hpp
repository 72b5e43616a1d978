// SPDX-License-Identifier: MIT
// Room integrations. Enters: nothing. Leaves: the buffer type of version 2 of ggml's back-end
// interface: ggml 0.21 to 0.25, such as in node-llama-cpp 3.21 and 3.22.
#pragma once

#include "integrations/ggml/abi/types.hpp"

namespace tbx::ggml::version_2 {

struct buffer_type_layout {
    const char* (*name)(buffer_type*) = nullptr;
    buffer* (*alloc)(buffer_type*, std::size_t) = nullptr;
    std::size_t (*alignment)(buffer_type*) = nullptr;
    std::size_t (*largest)(buffer_type*) = nullptr;
    std::size_t (*tensor_size)(buffer_type*, const tensor*) = nullptr;
    bool (*is_host)(buffer_type*) = nullptr;
    ggml::device* device = nullptr;
    void* context = nullptr;
};
static_assert(offsetof(buffer_type_layout, device) == 0x30);

}  // namespace tbx::ggml::version_2
