// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a GGUF file, or a shape. Leaves: the tensors of a transformer, each
// with its shape: (out, in) for a matrix, whose rows are what its outputs are made of.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/config.hpp"
#include "model/embedding.hpp"
#include "model/linear.hpp"
#include "model/norm.hpp"
#include "model/rotations.hpp"

namespace tbx::model {

/// Its gate, up and down have no neurons that are always 0 (prune.hpp).
using layer_weights = gguf::layer_tensors<linear, norm>;

struct weights {
    trilobit::page_arena arena;                   // of the packed matrices; outlives them
    std::unique_ptr<const rotations> bases = {};  // of some matrices, which point there
    model::embedding embedding;                   // (vocab, dim)
    std::vector<layer_weights> layers;
    norm output_norm;      // (dim)
    linear head;           // (vocab, dim); views a dense embedding when tied; rows() == 0: none
    vector rope_divisors;  // (rope_dim / 2), empty when all are 1
    vector long_rope_divisors;  // the same for contexts above config.long_rope
};

/// A config and its weights. Dense tensors point into the file, which must live as long.
struct transformer {
    model::config config;
    model::weights weights;
    std::string name = {};  // for messages: the file

    /// Bytes that making one token reads, less the keys and values of earlier ones.
    [[nodiscard]] std::int64_t bytes_per_token() const noexcept;
    /// Neurons of all layers that the file has and that are always 0.
    [[nodiscard]] std::int64_t pruned_neurons() const noexcept;
};

/// Throws tbx::error when a tensor is absent, has another shape than the config demands, or is one
/// that this program would ignore: ignoring a bias gives fluent nonsense.
[[nodiscard]] transformer load_transformer(compute& cpu, const gguf::reader& file,
                                           trilobit::layout_id layout, const progress& report);

}  // namespace tbx::model
