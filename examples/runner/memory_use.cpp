// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a file's tensors. Leaves: bytes; see memory_use.hpp.
#include "runner/memory_use.hpp"

#include <algorithm>

#include <trilobit/pack/header.hpp>

#include "formats/layout.hpp"
#include "gguf/packed.hpp"
#include "gguf/types.hpp"
#include "model/linear.hpp"

namespace tbx::runner {
namespace {

using trilobit::layout_id;

std::int64_t packed_size(const gguf::tensor& t, const formats::format& of, layout_id asked) {
    using trilobit::scale_spec;
    const scale_spec scales = of.scales == formats::scale_per::group ? scale_spec::group(of.group)
                              : of.scales == formats::scale_per::row ? scale_spec::row()
                                                                     : scale_spec::tensor();
    const auto bytes =
        trilobit::packed_bytes(formats::layout_of(of.values, asked), t.rows(), t.columns(), scales);
    return bytes.ok() ? bytes.value() : 0;
}

std::int64_t scratch_of(const model::config& c, std::int64_t batch) {
    const std::int64_t numbers =
        2 * c.dim + c.q_width() + c.k_width() + c.v_width() + c.attention_width() + 2 * c.ffn;
    return 4 * (batch * numbers + c.vocab);
}

}  // namespace

memory_use memory_of(const gguf::reader& file, const model::config& c, layout_id layout,
                     std::int64_t positions, std::int64_t batch, model::kept_as kept) {
    memory_use use;
    for (const gguf::tensor& t : file.tensors()) {
        const formats::format* few = gguf::few_levels(t.type);
        const bool dense = model::dense_type(t.type) && trilobit::little_endian;
        // A row of the embedding is read when its token comes; where it is the head as well, there
        // is a packed copy.
        const bool embedding = t.name == "token_embd.weight";
        if (dense || (embedding && few != nullptr) || !gguf::packed_images(file, t).empty())
            use.mapped += std::ssize(t.data);
        else if (few == nullptr)
            use.packed += 4 * t.rows() * t.columns();
        if (few != nullptr && (!embedding || c.tied_head))
            use.packed += packed_size(t, *few, layout);
    }
    const std::int64_t block = model::kv_cache::positions_per_block;
    const std::int64_t whole_blocks = (positions + block - 1) / block * block;
    use.cache = whole_blocks * model::kv_cache(c, block, kept).bytes_per_position(c.layers);
    // Texts and what finds them: 16 MiB were taken for 50304 made-up words.
    use.words = 300 * c.vocab;
    use.scratch = scratch_of(c, std::min(batch, positions));
    return use;
}

}  // namespace tbx::runner
