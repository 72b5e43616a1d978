// SPDX-License-Identifier: MIT
// Room integrations. Enters: a tensor's bytes. Leaves: see weights.hpp.
#include "integrations/ggml/weights.hpp"

#include <trilobit/pack/pack.hpp>

#include <algorithm>
#include <cstring>
#include <optional>

namespace tbx::ggml {

namespace {

using trilobit::errc;
using trilobit::scale_spec;
using trilobit::scale_type;

std::int64_t count_of(const tensor& t) noexcept { return t.ne[2] * t.ne[3]; }

std::size_t row_bytes(const weight_type& type, const tensor& t) noexcept {
    return static_cast<std::size_t>(t.ne[0] / type.cols() * type.bytes());
}

int group_of(const weight_type& type) noexcept { return type.format->group; }

/// Of one matrix, with the scales that take most room, up to where the next may start.
std::optional<std::size_t> image_size(const weight_type& type, std::int64_t rows,
                                      std::int64_t cols) noexcept {
    std::size_t most = 0;
    for (const scale_spec spec : {scale_spec::tensor(), scale_spec::row(scale_type::f16),
                                  scale_spec::group(group_of(type), scale_type::f16)}) {
        trilobit::packed_shape shape;
        trilobit::visit_layout(type.layout, [&]<class L>() {
            shape = trilobit::packed_shape::of<L>(rows, cols, spec);
        });
        const auto bytes = trilobit::packed_bytes(shape);
        if (!bytes.ok()) return std::nullopt;
        most = std::max(most, static_cast<std::size_t>(bytes.value()));
    }
    return (most + 63) / 64 * 64;
}

formats::matrix_rows rows_of(const weight_type& type, std::span<const std::byte> bytes,
                             std::int64_t rows, std::int64_t cols) noexcept {
    return {*type.format, bytes, {rows, cols}};
}

/// The coarsest grouping that says the same: of scales that are alike the kernels apply one.
scale_spec spec_of(const weight_type& type, formats::scale_per per) noexcept {
    switch (per) {
        case formats::scale_per::tensor:
            return scale_spec::tensor(scale_type::f16);
        case formats::scale_per::row:
            return scale_spec::row(scale_type::f16);
        default:
            return scale_spec::group(group_of(type), scale_type::f16);
    }
}

/// Rows of one matrix, for the packer. Its blocks are read one by one, as a matrix of a block's
/// width: so a row needs no memory for its scales.
struct row_reader {
    formats::matrix_rows blocks;
    std::int64_t row_blocks;
    scale_spec spec;
    float tensor_scale;

    trilobit::status operator()(std::int64_t r, std::int8_t* values, float* scales) const noexcept {
        const bool grouped = spec.per == trilobit::granularity::group;
        const bool has_zero = formats::has_zero(blocks.of().values);
        const std::int64_t first = r * row_blocks;
        if (!grouped) *scales = tensor_scale;
        for (std::int64_t b = 0; b < row_blocks; ++b, values += blocks.cols()) {
            float scale = 0;
            const formats::fault found = blocks.read(first + b, values, &scale);
            if (found == formats::fault::scale)
                return {errc::bad_value, "a scale is NaN or infinite"};
            if (found == formats::fault::code)
                return {errc::bad_value, "a block has a code that its type does not have"};
            if (grouped)
                scales[b] = scale;
            else if (scale == 0 && has_zero)  // alike but for this
                std::fill_n(values, blocks.cols(), std::int8_t{0});
            else
                *scales = scale;
        }
        return {};
    }
};

/// Rows [begin, end) of a packed matrix, all of one row block, as the host's blocks.
template <class L>
void unpack(const weight_type& type, const trilobit::packed_view& w, std::int64_t block,
            std::vector<std::int8_t>& values, std::byte* rows, std::size_t row, int height) {
    values.resize(static_cast<std::size_t>(L::tile_rows * w.cols));
    std::int8_t tile[std::size_t{L::tile_rows} * L::tile_cols];
    for (std::int64_t s = 0; s < w.segments(); ++s) {
        const std::byte* from = w.tile_at(block, s);
        for (std::int64_t c = 0; c < w.segment_width(s); c += L::tile_cols, from += L::tile_bytes) {
            L::decode(from, tile);
            const auto count = std::min<std::int64_t>(L::tile_cols, w.segment_width(s) - c);
            for (int r = 0; r < height; ++r)
                std::copy_n(tile + r * L::tile_cols, count,
                            values.data() + r * w.cols + w.segment_first_col(s) + c);
        }
    }
    const formats::shape shape{height, w.cols};
    std::vector<float> scales(static_cast<std::size_t>(w.cols / type.cols()));
    for (int r = 0; r < height; ++r) {
        for (std::size_t b = 0; b < scales.size(); ++b)
            scales[b] = w.scale_of(block, w.segments() > 1 ? static_cast<std::int64_t>(b) : 0, r);
        // What was read of the format can be written in it.
        (void)type.format->write({rows, row * static_cast<std::size_t>(height)}, shape, r,
                                 values.data() + r * w.cols, scales.data());
    }
}

}  // namespace

const weight_type* packable(const tensor& t) noexcept {
    const weight_type* type = find_weight_type(t.type);
    if (type == nullptr || t.view_src != nullptr) return nullptr;
    for (const std::int64_t n : t.ne)
        if (n < 1 || n > std::int64_t{1} << 30) return nullptr;
    if (t.ne[0] % type->cols() != 0 || t.nb[0] != static_cast<std::size_t>(type->bytes()) ||
        t.nb[1] != row_bytes(*type, t) || t.nb[2] != t.nb[1] * static_cast<std::size_t>(t.ne[1]) ||
        t.nb[3] != t.nb[2] * static_cast<std::size_t>(t.ne[2]))
        return nullptr;
    const auto image = image_size(*type, t.ne[1], t.ne[0]);
    return image && count_of(t) <= (std::int64_t{1} << 40) / static_cast<std::int64_t>(*image)
               ? type
               : nullptr;
}

std::size_t packed_size(const weight_type& type, const tensor& t) noexcept {
    return image_size(type, t.ne[1], t.ne[0]).value_or(0) * static_cast<std::size_t>(count_of(t));
}

std::size_t file_size(const weight_type& type, const tensor& t) noexcept {
    return row_bytes(type, t) * static_cast<std::size_t>(t.ne[1] * count_of(t));
}

trilobit::status weights::set(const weight_type& type, const tensor& t,
                              std::span<const std::byte> bytes, std::size_t offset, team& threads) {
    const std::size_t whole = file_size(type, t), row = row_bytes(type, t);
    packed.clear();
    if (offset == 0) staged.clear();
    if (bytes.size() != whole) {
        if (offset != staged.size() || bytes.size() > whole - offset)
            return {errc::bad_shape, "its bytes come in another order than the first to the last"};
        staged.reserve(whole);
        staged.insert(staged.end(), bytes.begin(), bytes.end());
        if (staged.size() < whole) return {};
        bytes = staged;
    }
    const std::size_t image = image_size(type, t.ne[1], t.ne[0]).value_or(0);
    const std::size_t matrix = row * static_cast<std::size_t>(t.ne[1]);
    const auto part_of = [&](std::int64_t i) {
        return rows_of(type, bytes.subspan(static_cast<std::size_t>(i) * matrix, matrix), t.ne[1],
                       t.ne[0]);
    };
    // One grouping for all matrices of a tensor: experts share a plan.
    std::vector<formats::scale_summary> alike;
    auto coarsest = formats::scale_per::tensor;
    for (std::int64_t i = 0; i < count_of(t); ++i) {
        alike.push_back(formats::summarise(part_of(i), 0, t.ne[1]));
        coarsest = std::max(coarsest, alike.back().per);
    }
    trilobit::pack_options options;
    options.scale = spec_of(type, coarsest);
    std::vector<trilobit::packed_view> views;
    for (std::int64_t i = 0; i < count_of(t); ++i) {
        const std::int64_t row_blocks = t.ne[0] / type.cols();
        const row_reader source{rows_of(type,
                                        bytes.subspan(static_cast<std::size_t>(i) * matrix, matrix),
                                        t.ne[1] * row_blocks, type.cols()),
                                row_blocks, options.scale, alike[static_cast<std::size_t>(i)].only};
        const auto view = trilobit::pack_rows_into(
            type.layout,
            std::span(static_cast<std::byte*>(t.data) + static_cast<std::size_t>(i) * image, image),
            t.ne[1], t.ne[0], source, options, threads);
        if (!view.ok()) {
            staged = {};
            return view.error();
        }
        views.push_back(view.value());
    }
    packed = std::move(views);
    staged = {};
    return {};
}

void weights::get(const weight_type& type, const tensor& t, std::span<std::byte> bytes,
                  std::size_t offset) const {
    if (packed.empty()) {
        std::fill(bytes.begin(), bytes.end(), std::byte{0});
        return;
    }
    const std::size_t row = row_bytes(type, t), matrix = row * static_cast<std::size_t>(t.ne[1]);
    std::vector<std::int8_t> values;
    std::vector<std::byte> rows;
    for (std::size_t at = offset, end = offset + bytes.size(); at < end;) {
        const trilobit::packed_view& w = packed[at / matrix];
        const std::size_t in_matrix = at % matrix;
        const auto block = static_cast<std::int64_t>(in_matrix / row) / w.tile.rows;
        const auto first = static_cast<std::size_t>(block * w.tile.rows) * row;
        const auto height =
            static_cast<int>(std::min<std::int64_t>(w.tile.rows, w.rows - block * w.tile.rows));
        rows.resize(static_cast<std::size_t>(height) * row);
        trilobit::visit_layout(w.layout, [&]<class L>() {
            unpack<L>(type, w, block, values, rows.data(), row, height);
        });
        const std::size_t skip = in_matrix - first;
        const std::size_t count = std::min(rows.size() - skip, end - at);
        std::memcpy(bytes.data() + (at - offset), rows.data() + skip, count);
        at += count;
    }
}

}  // namespace tbx::ggml
