// SPDX-License-Identifier: MIT
// Room integrations. Enters: nothing. Leaves: the buffer type of version 2 of ggml's back-end
// interface: ggml 0.21 to 0.23, such as in node-llama-cpp 3.21.
#pragma once

#include "integrations/ggml/abi/types.hpp"

namespace tbx::ggml::version_2 {

struct buffer_type_layout {
    const char* (*name)(buffer_type*);
    buffer* (*alloc)(buffer_type*, std::size_t);
    std::size_t (*alignment)(buffer_type*);
    std::size_t (*largest)(buffer_type*) = nullptr;
    std::size_t (*tensor_size)(buffer_type*, const tensor*);
    bool (*is_host)(buffer_type*);
    ggml::device* device;
    void* context = nullptr;

    buffer_type_layout(const buffer_type_functions& f, ggml::device* of) noexcept
        : name(f.name),
          alloc(f.alloc),
          alignment(f.alignment),
          tensor_size(f.tensor_size),
          is_host(f.is_host),
          device(of) {}
};
static_assert(offsetof(buffer_type_layout, device) == 0x30);

}  // namespace tbx::ggml::version_2
