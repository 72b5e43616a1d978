// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a model file, not loaded. Leaves: the memory that running it takes.
#pragma once

#include <cstdint>

#include <trilobit/layout/all.hpp>

#include "gguf/reader.hpp"
#include "model/config.hpp"
#include "model/kv_cache.hpp"

namespace tbx::runner {

/// Bytes. Of packed weights it is the most: scales that turn out to be equal and neurons that are
/// always 0 are not kept.
struct memory_use {
    std::int64_t mapped = 0;   // of the file, used where it lies
    std::int64_t packed = 0;   // weights of few levels, and tensors that become floats
    std::int64_t cache = 0;    // keys and values
    std::int64_t scratch = 0;  // numbers of one batch, and the logits
    std::int64_t words = 0;    // of the tokenizer, about

    [[nodiscard]] std::int64_t all() const noexcept {
        return mapped + packed + cache + scratch + words;
    }
};

[[nodiscard]] memory_use memory_of(const gguf::reader& file, const model::config& c,
                                   trilobit::layout_id layout, std::int64_t positions,
                                   std::int64_t batch, model::kept_as kept);

}  // namespace tbx::runner
