// SPDX-License-Identifier: MIT
// Room integrations. Enters: the process that loaded us. Leaves: the few functions of its ggml that
// we call, and which version of the back-end interface it speaks; or one line that says why not.
//
// Nothing is linked: hosts name and place their libraries each in their own way.
#pragma once

#include "integrations/ggml/abi/types.hpp"

namespace tbx::ggml {

struct host {
    int version = 0;   // of the back-end interface
    int mul_mat = -1;  // operators have other numbers in each release
    int mul_mat_id = -1;
    int views[5] = {};  // NONE and those that only look at memory in another way

    int (*node_count)(graph*) = nullptr;
    tensor* (*node)(graph*, int) = nullptr;
    bool (*is_host_memory)(buffer_type*) = nullptr;
    buffer* (*make_buffer)(buffer_type*, buffer_functions, void* context, std::size_t) = nullptr;
    const char* (*type_name)(ggml::type) = nullptr;
    std::size_t (*bytes)(const tensor*) = nullptr;

    /// Of the host's own OpenMP team; null where it has none.
    void (*openmp_parallel)(void (*)(void*), void*, unsigned threads, unsigned flags) = nullptr;

    /// Looks at the process anew; false when it is no host that we know, which one line has said.
    bool find();
    [[nodiscard]] bool only_looks(int op) const noexcept;
};

/// The host, once find() was true.
extern host the_host;

/// "trilobit: " and the text, as one line on standard error: hosts silence their own log.
void complain(const char* what, const char* why = "") noexcept;

}  // namespace tbx::ggml
