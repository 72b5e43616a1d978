// SPDX-License-Identifier: MIT
// Room integrations. Enters: a tensor's bytes. Leaves: see weights.hpp.
#include "integrations/ggml/weights.hpp"

#include <trilobit/pack/pack.hpp>

#include <algorithm>
#include <cstring>
#include <optional>

#include "formats/bytes.hpp"

namespace tbx::ggml {

namespace {

using trilobit::errc;
using trilobit::scale_spec;
using trilobit::scale_type;

std::int64_t count_of(const tensor& t) noexcept { return t.ne[2] * t.ne[3]; }

std::size_t row_bytes(const weight_type& type, const tensor& t) noexcept {
    return static_cast<std::size_t>(t.ne[0] / type.cols * type.bytes);
}

/// Of one matrix, with the scales that take most room, up to where the next may start.
std::optional<std::size_t> image_size(const weight_type& type, std::int64_t rows,
                                      std::int64_t cols) noexcept {
    std::size_t most = 0;
    for (const scale_spec spec : {scale_spec::tensor(), scale_spec::row(scale_type::f16),
                                  scale_spec::group(type.cols, scale_type::f16)}) {
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

/// The coarsest grouping that says the same: of scales that are alike the kernels apply one.
scale_spec grouping(const weight_type& type, std::span<const std::byte> bytes,
                    std::size_t row) noexcept {
    bool rows_alike = true;
    std::uint16_t all = 0;
    const auto step = static_cast<std::size_t>(type.bytes);
    for (std::size_t begin = 0; begin < bytes.size(); begin += row) {
        std::uint16_t common = 0;
        for (std::size_t at = begin; at < begin + row; at += step) {
            const auto scale = gguf::load_as<std::uint16_t>(
                bytes.data() + at + static_cast<std::size_t>(type.scale_at));
            if ((scale & 0x7fffu) == 0) {
                // Binary weights are never 0: their scale has to stay one.
                if (type.layout == trilobit::layout_id::binary_1bit)
                    return scale_spec::group(type.cols, scale_type::f16);
                continue;
            }
            if (common != 0 && scale != common)
                return scale_spec::group(type.cols, scale_type::f16);
            common = scale;
        }
        if (common == 0) continue;
        rows_alike = rows_alike && (all == 0 || all == common);
        all = common;
    }
    return rows_alike ? scale_spec::tensor(scale_type::f16) : scale_spec::row(scale_type::f16);
}

/// One grouping for all matrices of a tensor: experts share a plan.
scale_spec common_grouping(const weight_type& type, std::span<const std::byte> bytes,
                           std::size_t row, std::size_t matrix) noexcept {
    scale_spec common = scale_spec::tensor(scale_type::f16);
    for (std::size_t at = 0; at < bytes.size(); at += matrix) {
        const scale_spec each = grouping(type, bytes.subspan(at, matrix), row);
        if (static_cast<int>(each.per) > static_cast<int>(common.per)) common = each;
    }
    return common;
}

/// Rows of one matrix, for the packer.
struct row_reader {
    const weight_type& type;
    std::span<const std::byte> bytes;
    std::size_t row;
    scale_spec spec;
    float tensor_scale;

    trilobit::status operator()(std::int64_t r, std::int8_t* values, float* scales) const noexcept {
        const std::byte* block = bytes.data() + static_cast<std::size_t>(r) * row;
        const std::byte* const end = block + row;
        const bool grouped = spec.per == trilobit::granularity::group;
        if (!grouped) *scales = tensor_scale;
        for (; block < end; block += type.bytes, values += type.cols) {
            const float scale = gguf::load_f16(block + type.scale_at);
            if (!trilobit::is_finite(scale)) return {errc::bad_value, "a scale is NaN or infinite"};
            gguf::read_values(type, block, values);  // strange codes are the packer's to refuse
            if (grouped)
                *scales++ = scale;
            else if (scale == 0)  // ternary, and alike but for this
                std::fill_n(values, type.cols, std::int8_t{0});
            else
                *scales = scale;
        }
        return {};
    }
};

/// The first scale that is not 0: of all, where all that are not 0 are alike.
float first_scale(const weight_type& type, std::span<const std::byte> bytes) noexcept {
    const auto step = static_cast<std::size_t>(type.bytes);
    for (std::size_t at = static_cast<std::size_t>(type.scale_at); at < bytes.size(); at += step)
        if (const float scale = gguf::load_f16(bytes.data() + at); scale != 0) return scale;
    return 0;
}

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
    for (int r = 0; r < height; ++r)
        for (std::int64_t b = 0; b < w.cols / type.cols; ++b) {
            std::byte* to = rows + static_cast<std::size_t>(r) * row + b * type.bytes;
            const std::int64_t segment = w.segments() > 1 ? b : 0;
            gguf::write_values(type, values.data() + r * w.cols + b * type.cols, to);
            gguf::store_as<std::uint16_t>(to + type.scale_at,
                                          trilobit::f32_to_f16(w.scale_of(block, segment, r)));
        }
}

}  // namespace

const weight_type* packable(const tensor& t) noexcept {
    const weight_type* type = find_weight_type(t.type);
    if (type == nullptr || t.view_src != nullptr) return nullptr;
    for (const std::int64_t n : t.ne)
        if (n < 1 || n > std::int64_t{1} << 30) return nullptr;
    if (t.ne[0] % type->cols != 0 || t.nb[0] != static_cast<std::size_t>(type->bytes) ||
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
    trilobit::pack_options options;
    options.scale = common_grouping(type, bytes, row, row * static_cast<std::size_t>(t.ne[1]));
    const std::size_t image = image_size(type, t.ne[1], t.ne[0]).value_or(0);
    const std::size_t matrix = row * static_cast<std::size_t>(t.ne[1]);
    std::vector<trilobit::packed_view> views;
    for (std::int64_t i = 0; i < count_of(t); ++i) {
        const auto part = bytes.subspan(static_cast<std::size_t>(i) * matrix, matrix);
        const row_reader source{type, part, row, options.scale, first_scale(type, part)};
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
