// SPDX-License-Identifier: MIT
// Room conversion. Enters: a GGUF file, whose layers may be packed images. Leaves: its tensors as
// rows of floats; see encode.hpp.
#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include <trilobit/layout/all.hpp>

#include "conversion/encode.hpp"
#include "gguf/dequantize.hpp"
#include "gguf/packed.hpp"
#include "gguf/weight_rows.hpp"

namespace tbx::conversion {

namespace {

// Tiles hold rows side by side: those of a row block are decoded together and kept.
void read_image(const gguf::reader& file, const std::string& name, std::uint64_t number,
                const trilobit::packed_view& v, std::int64_t row, std::span<float> out) {
    struct kept {
        std::uint64_t number = 0;  // of the image
        std::int64_t block = -1;
        std::vector<std::int8_t> values;  // (tile rows, row tiles * tile columns)
    };
    thread_local kept last;
    const std::int64_t block = row / v.tile.rows, width = v.row_tiles() * v.tile.cols;
    if (last.number != number || last.block != block) {
        last.values.resize(static_cast<std::size_t>(v.tile.rows * width));
        last.block = -1;
        trilobit::visit_layout(v.layout, [&]<class L>() {
            std::int8_t tile[std::size_t{L::tile_rows} * L::tile_cols];
            const std::byte* at = v.tile_at(block, 0);
            for (std::int64_t t = 0; t < v.row_tiles(); ++t, at += L::tile_bytes) {
                if (!L::valid(at))
                    file.fail("tensor '" + name + "': holds bytes that are no packed weights");
                L::decode(at, tile);
                for (int r = 0; r < L::tile_rows; ++r)
                    std::copy_n(tile + r * L::tile_cols, L::tile_cols,
                                last.values.data() + r * width + t * L::tile_cols);
            }
            last.number = number;
            last.block = block;
        });
        if (last.block < 0) file.fail("tensor '" + name + "': has a layout that is not known here");
    }
    const auto in_block = static_cast<int>(row % v.tile.rows);
    for (std::int64_t s = 0; s < v.segments(); ++s) {
        const float scale = v.scale_of(block, s, in_block);
        const std::int8_t* values =
            last.values.data() + in_block * width + v.segment_first_tile(s) * v.tile.cols;
        const auto first = static_cast<std::size_t>(v.segment_first_col(s));
        for (std::int64_t c = 0; c < v.segment_width(s); ++c)
            out[first + static_cast<std::size_t>(c)] = scale * static_cast<float>(values[c]);
    }
}

// A code without meaning would become a float as any other: decode() refuses it.
void read_levels(const gguf::weight_rows& rows, std::int64_t row, std::span<float> out) {
    thread_local std::vector<std::int8_t> values;
    thread_local std::vector<float> scales;
    values.resize(out.size());
    scales.resize(static_cast<std::size_t>(rows.scales_per_row()));
    rows.decode(row, values, scales);
    const auto run = static_cast<std::size_t>(rows.matrix().scale_cols());
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = scales[i / run] * static_cast<float>(values[i]);
}

}  // namespace

std::vector<gguf::float_rows> rows_of(const gguf::reader& file, bool retyped) {
    std::vector<gguf::float_rows> all;
    for (const gguf::tensor& t : file.tensors()) {
        gguf::float_rows rows;
        rows.name = t.name;
        rows.extent.assign(t.extent.begin(), t.extent.begin() + t.dimensions);
        rows.rows = t.rows();
        rows.cols = t.columns();
        rows.type = t.type;
        rows.bytes = t.data;
        rows.linear = retyped && gguf::is_linear(t.name);
        rows.forget = [&file, &t] { file.forget(t); };
        auto images =
            rows.linear ? gguf::packed_images(file, t, true) : std::vector<trilobit::packed_view>();
        if (!images.empty()) {
            const trilobit::packed_view& one = images.front();
            const std::int64_t count = std::ssize(images);
            rows.rows = count * one.rows;
            rows.cols = one.cols;
            rows.extent = {one.cols, one.rows};
            if (t.dimensions > 1) rows.extent.push_back(count);
            rows.group = one.scale.group_cols;
            static std::atomic<std::uint64_t> numbered = 1;
            rows.read = [&file, name = rows.name, each = one.rows,
                         number = numbered.fetch_add(images.size()),
                         all = std::move(images)](std::int64_t row, std::span<float> out) {
                const auto at = static_cast<std::size_t>(row / each);
                read_image(file, name, number + at, all[at], row % each, out);
            };
        } else if (const formats::format* of = gguf::few_levels(t.type); of != nullptr) {
            rows.group = of->group;
            rows.read = [from = gguf::weight_rows(file, t)](std::int64_t row,
                                                            std::span<float> out) {
                read_levels(from, row, out);
            };
        } else if (rows.linear && !gguf::can_dequantize(t.type)) {
            file.fail(rows.name + ": its type " + gguf::name_of(t.type) + " cannot be read");
        } else {
            rows.read = [&t](std::int64_t row, std::span<float> out) {
                gguf::dequantize_row(t, row, out);
            };
        }
        all.push_back(std::move(rows));
    }
    return all;
}

}  // namespace tbx::conversion
