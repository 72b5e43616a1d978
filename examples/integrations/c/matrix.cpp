// SPDX-License-Identifier: MIT
// Room integrations/c. Enters: floats, values, blocks of ggml's, files, images. Leaves: packed
// matrices, and what is to be known of them.
#include <algorithm>
#include <span>

#include "integrations/c/block_rows.hpp"
#include "integrations/c/handles.hpp"

namespace tbx::capi {
namespace {

struct packing {
    trilobit_pack_options from{};
    trilobit::pack_options options;
    std::span<std::byte> memory;  // the caller's, if any
};

void report(const void* context, double done) {
    const auto& from = *static_cast<const trilobit_pack_options*>(context);
    from.progress(from.progress_context, done);
}

/// `to` stays where it is: the callback's context points to it.
status read_options(const trilobit_pack_options* from, packing& to) noexcept {
    if (const status s = read_struct(from, to.from); !s.ok()) return s;
    const trilobit_pack_options& o = to.from;
    trilobit::scale_spec& scale = to.options.scale;
    if (const status s = read_id(o.scale_per, 3, "There is no such scale_per.", scale.per); !s.ok())
        return s;
    if (const status s = read_id(o.scale_type, 2, "There is no such scale_type.", scale.type);
        !s.ok())
        return s;
    scale.group_cols = o.group_cols;
    if (o.one_scale != 0 && o.one_scale != 1)
        return {errc::bad_value, "The field one_scale is neither 0 nor 1."};
    if (o.progress != nullptr) {
        to.options.progress = report;
        to.options.context = &to.from;
    }
    if (o.memory == nullptr && o.memory_bytes != 0)
        return {errc::bad_value, "There is no memory, but there are bytes of it."};
    if (o.memory_bytes > PTRDIFF_MAX)
        return {errc::bad_shape, "The memory for a packed matrix is too large to address."};
    to.memory = {static_cast<std::byte*>(o.memory), o.memory_bytes};
    return trilobit::check_scale_spec(scale);
}

trilobit::layout_id layout_of(std::int32_t id) noexcept {
    return static_cast<trilobit::layout_id>(id);
}

/// Takes the result of pack_it(memory) or of pack_own(), by whose memory it is.
template <class PackInto, class PackOwn>
status pack_one(const packing& p, trilobit_matrix& made, PackInto pack_into, PackOwn pack_own) {
    if (p.memory.data() == nullptr) {
        made.owned = pack_own();
        made.view = made.owned.view();
        return made.owned.status();
    }
    const trilobit::result<trilobit::packed_view> packed = pack_into(p.memory);
    if (packed.ok()) made.view = packed.value();
    return packed.error();
}

template <class Weights>
status pack_matrix(const trilobit_context& context, std::int32_t layout, const Weights& weights,
                   const packing& p, trilobit_matrix& made) {
    const trilobit::executor_ref threads = context.threads();
    return pack_one(
        p, made,
        [&](std::span<std::byte> memory) {
            return trilobit::pack_into(layout_of(layout), memory, weights, p.options, threads);
        },
        [&] { return trilobit::pack(layout_of(layout), weights, p.options, threads); });
}

status place_image(const void* image, std::size_t bytes, trilobit::verify depth,
                   trilobit_matrix& made) noexcept {
    const auto viewed = trilobit::view_packed({static_cast<const std::byte*>(image), bytes}, depth);
    if (viewed.ok()) made.view = viewed.value();
    return viewed.error();
}

status read_depth(std::int32_t verify, trilobit::verify& depth) noexcept {
    if (verify != TRILOBIT_VERIFY_EVERYTHING && verify != TRILOBIT_VERIFY_HEADER)
        return {errc::unsupported, "There is no such way to verify."};
    depth =
        verify == TRILOBIT_VERIFY_HEADER ? trilobit::verify::header : trilobit::verify::everything;
    return {};
}

/// The header stands before the tiles, whoever owns them.
std::span<const std::byte> image_of(const trilobit_matrix& m) noexcept {
    return {m.view.tiles - sizeof(trilobit::detail::packed_header),
            static_cast<std::size_t>(trilobit::packed_bytes(m.view).value())};
}

}  // namespace
}  // namespace tbx::capi

using namespace tbx::capi;

extern "C" {

trilobit_status trilobit_packed_bytes(std::int32_t layout, std::int64_t rows, std::int64_t cols,
                                      const trilobit_pack_options* options, std::size_t* bytes) {
    if (bytes == nullptr) return to_c(no_place);
    *bytes = 0;
    packing p;
    if (const status s = read_options(options, p); !s.ok()) return to_c(s);
    const auto all = trilobit::packed_bytes(layout_of(layout), rows, cols, p.options.scale);
    if (all.ok()) *bytes = static_cast<std::size_t>(all.value());
    return to_c(all.error());
}

trilobit_status trilobit_pack_floats(trilobit_context* context, std::int32_t layout,
                                     const float* weights, std::int64_t rows, std::int64_t cols,
                                     std::int64_t stride, const trilobit_pack_options* options,
                                     trilobit_matrix** matrix) {
    return make(matrix, [&](trilobit_matrix& made) -> status {
        if (context == nullptr) return no_context;
        packing p;
        if (const status s = read_options(options, p); !s.ok()) return s;
        trilobit::matrix_view<const float> from;
        if (const status s = read_view(weights, rows, cols, stride, from); !s.ok()) return s;
        return pack_matrix(*context, layout, from, p, made);
    });
}

trilobit_status trilobit_pack_values(trilobit_context* context, std::int32_t layout,
                                     const std::int8_t* values, std::int64_t rows,
                                     std::int64_t cols, std::int64_t stride, const float* scales,
                                     const trilobit_pack_options* options,
                                     trilobit_matrix** matrix) {
    return make(matrix, [&](trilobit_matrix& made) -> status {
        if (context == nullptr) return no_context;
        packing p;
        if (const status s = read_options(options, p); !s.ok()) return s;
        trilobit::quantized_view from{{}, scales, p.options.scale};
        if (const status s = read_view(values, rows, cols, stride, from.values); !s.ok()) return s;
        if (reinterpret_cast<std::uintptr_t>(scales) % alignof(float) != 0)
            return {errc::bad_shape, "Scales start on no multiple of 4 bytes."};
        return pack_matrix(*context, layout, from, p, made);
    });
}

trilobit_status trilobit_pack_blocks(trilobit_context* context, std::int32_t layout,
                                     std::int32_t type, const void* blocks, std::size_t bytes,
                                     std::int64_t rows, std::int64_t cols,
                                     const trilobit_pack_options* options,
                                     trilobit_matrix** matrix) {
    return make(matrix, [&](trilobit_matrix& made) -> status {
        if (context == nullptr) return no_context;
        packing p;
        if (const status s = read_options(options, p); !s.ok()) return s;
        if (p.options.scale != trilobit::scale_spec{})
            return {errc::unsupported, "Blocks have scales of their own: leave the options' out."};
        const auto source =
            block_rows::of(type, {static_cast<const std::byte*>(blocks), bytes}, rows, cols);
        if (!source.ok()) return source.error();
        const std::optional<float> one =
            p.from.one_scale != 0 ? source.value().only_scale() : std::nullopt;
        if (!one) p.options.scale = source.value().scales();
        const trilobit::executor_ref threads = context->threads();
        const auto row = [&](std::int64_t r, std::int8_t* values, float* scales) {
            return source.value().read(r, one, values, scales);
        };
        return pack_one(
            p, made,
            [&](std::span<std::byte> memory) {
                return trilobit::pack_rows_into(layout_of(layout), memory, rows, cols, row,
                                                p.options, threads);
            },
            [&] {
                return trilobit::pack_rows(layout_of(layout), rows, cols, row, p.options, threads);
            });
    });
}

trilobit_status trilobit_map(const char* path, std::int32_t verify, trilobit_matrix** matrix) {
    return make(matrix, [&](trilobit_matrix& made) -> status {
        if (path == nullptr) return {errc::bad_value, "The path is null."};
        trilobit::verify depth{};
        if (const status s = read_depth(verify, depth); !s.ok()) return s;
#if defined(__unix__) || defined(__APPLE__)
        made.view = made.mapped.emplace(path, depth).view();
        return made.view.problem;
#else
        return {errc::unsupported, "Files are mapped on POSIX systems alone."};
#endif
    });
}

trilobit_status trilobit_view(const void* image, std::size_t bytes, std::int32_t verify,
                              trilobit_matrix** matrix) {
    return make(matrix, [&](trilobit_matrix& made) -> status {
        if (image == nullptr) return {errc::bad_value, "The image is null."};
        if (bytes > PTRDIFF_MAX) return {errc::bad_shape, "The image is too large to address."};
        trilobit::verify depth{};
        if (const status s = read_depth(verify, depth); !s.ok()) return s;
        return place_image(image, bytes, depth, made);
    });
}

trilobit_status trilobit_save(const trilobit_matrix* matrix, const char* path) {
    return guarded([&]() -> status {
        if (matrix == nullptr) return no_matrix;
        if (path == nullptr) return {errc::bad_value, "The path is null."};
        return trilobit::save(image_of(*matrix), path);
    });
}

void trilobit_matrix_free(trilobit_matrix* matrix) { delete matrix; }

trilobit_status trilobit_matrix_get_info(const trilobit_matrix* matrix,
                                         trilobit_matrix_info* info) {
    if (matrix == nullptr) return to_c(no_matrix);
    if (info == nullptr) return to_c(no_place);
    // What a newer program has beyond ours, it has as zeros.
    if (info->struct_size < sizeof *info || info->struct_size > most_struct)
        return to_c(wrong_struct_size);
    std::memset(reinterpret_cast<char*>(info) + sizeof *info, 0, info->struct_size - sizeof *info);
    const trilobit::packed_view& w = matrix->view;
    const std::span<const std::byte> image = image_of(*matrix);
    info->rows = w.rows;
    info->cols = w.cols;
    info->layout = static_cast<std::int32_t>(w.layout);
    info->scale_per = static_cast<std::int32_t>(w.scale.per);
    info->group_cols = w.scale.group_cols;
    info->scale_type = static_cast<std::int32_t>(w.scale.type);
    info->image = image.data();
    info->image_bytes = image.size();
    return to_c({});
}

}  // extern "C"
