// SPDX-License-Identifier: MIT
// Room pack. Enters: float weights, or values already quantised, or a function that makes rows on
// demand. Leaves: a packed image, in memory of its own (pack) or the caller's (pack_into). Threads
// are the caller's executor, progress goes to a callback. docs/packing.md says when it pays.
#pragma once

#include "trilobit/version.hpp"

#include <atomic>
#include <cstring>
#include <span>
#include <type_traits>

#include "trilobit/core/shared_status.hpp"
#include "trilobit/pack/packed_matrix.hpp"
#include "trilobit/pack/row_block.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

struct pack_options {
    scale_spec scale = {};  ///< a quantized_view has its own, and this is ignored
    /// Called with `context` and the fraction done, by one thread at a time, rising to exactly 1.
    void (*progress)(const void* context, double done) = nullptr;
    const void* context = nullptr;
};

namespace detail {

/// Calls back at most a thousand times, whichever threads finish row blocks.
class progress_meter {
    const pack_options& options;
    std::int64_t total;
    std::atomic<std::int64_t> done{0};
    std::atomic_flag speaking;
    double shown = 0;

public:
    progress_meter(const pack_options& o, std::int64_t row_blocks)
        : options(o), total(row_blocks) {}
    void count_row_block() {
        const std::int64_t now = ++done;
        if (options.progress == nullptr || now == total ||
            speaking.test_and_set(std::memory_order_acquire))
            return;
        const double fraction = static_cast<double>(now) / static_cast<double>(total);
        if (fraction >= shown + 0.001) options.progress(options.context, shown = fraction);
        speaking.clear(std::memory_order_release);
    }
    void finish() const {
        if (options.progress != nullptr) options.progress(options.context, 1.0);
    }
};

/// Can an image of this shape be put there?
inline status check_memory(std::span<const std::byte> memory, const packed_shape& shape) noexcept {
    const result<std::int64_t> bytes = packed_bytes(shape);
    if (!bytes.ok()) return bytes.error();
    if (memory.size() < static_cast<std::uint64_t>(bytes.value()))
        return {errc::bad_shape, "The memory for a packed matrix is smaller than packed_bytes()."};
    if (reinterpret_cast<std::uintptr_t>(memory.data()) % 64 != 0) return not_aligned;
    return {};
}

/// Packs what `rows_of_thread()` returns to each thread into memory that was checked.
template <weight_layout L, class RowsOfThread, executor Executor>
result<packed_view> pack_image(std::span<std::byte> memory, const packed_shape& shape,
                               const pack_options& options, Executor& run,
                               RowsOfThread&& rows_of_thread) {
    const packed_sections at = packed_sections::of(shape);
    std::byte* image = memory.data();
    std::memset(image, 0, sizeof(packed_header));  // what was there before is no image any more
    std::memset(image + at.scales, 0, static_cast<std::size_t>(at.size - at.scales));
    shared_status problem;
    progress_meter meter(options, shape.row_blocks());
    // Each call may allocate, so a thread has a few of them rather than many.
    const std::int64_t grain =
        std::max<std::int64_t>(1, shape.row_blocks() / (std::int64_t{8} * run.concurrency()));
    run(0, shape.row_blocks(), grain, [&](std::int64_t begin, std::int64_t end) {
        auto rows = rows_of_thread();
        for (std::int64_t block = begin; block < end && problem.ok(); ++block) {
            const status packed = pack_row_block<L>(shape, block, rows, image);
            if (!packed.ok()) return problem.fail(packed);
            meter.count_row_block();
        }
    });
    if (!problem.ok()) return problem.get();
    seal_packed(shape, memory.first(static_cast<std::size_t>(at.size)));
    meter.finish();
    return place_packed(shape, image);
}

/// Memory of its own, and in it the image that `pack_it(memory)` packs.
template <weight_layout L, class PackIt>
packed_matrix<L> pack_owned(const packed_shape& shape, PackIt&& pack_it) {
    const result<std::int64_t> bytes = packed_bytes(shape);
    if (!bytes.ok()) return bytes.error();
    aligned_buffer memory(static_cast<std::size_t>(bytes.value()));
    if (memory.data() == nullptr)
        return status{errc::out_of_memory, "There is not enough memory for the packed matrix."};
    const result<packed_view> packed = pack_it(std::span(memory.data(), memory.size()));
    if (!packed.ok()) return packed.error();
    return packed_matrix<L>(std::move(memory), verify::header);
}

template <weight_layout L>
using rule_of = typename rule_for<typename L::kind>::type;

}  // namespace detail

/// Float weights (rows, cols) -> an image in `memory`, packed_bytes() of it from a 64-byte boundary
/// on, by `Rule`: absmean for ternary layouts, the largest three of four for ternary_3of4, the sign
/// around the mean for binary ones, the nearest of four levels for quaternary ones. NaN and
/// infinite weights are refused, and leave no image. Allocates nothing.
///
/// Weights that are quantised already keep their sizes where each tensor, row or group of
/// `options.scale` has one; other matrices are rounded.
template <weight_layout L, class Rule = detail::rule_of<L>, executor Executor = const serial>
result<packed_view> pack_into(std::span<std::byte> memory,
                              std::type_identity_t<matrix_view<const float>> weights,
                              const pack_options& options = {}, Executor& run = serial{}) {
    static_assert(std::is_same_v<typename Rule::kind, typename L::kind>,
                  "This rule makes values that the layout does not hold.");
    const auto shape = packed_shape::of<L>(weights.rows, weights.cols, options.scale);
    if (const status s = check_view(weights); !s.ok()) return s;
    if (const status s = detail::check_memory(memory, shape); !s.ok()) return s;
    unit_sums tensor;
    if (options.scale.per == granularity::tensor) {
        // Sums of rows lie where the image will.
        const auto room = static_cast<std::size_t>(packed_bytes(shape).value());
        tensor = sum_matrix<Rule>(
            weights,
            std::span(reinterpret_cast<unit_sums*>(memory.data()), room / sizeof(unit_sums)), run);
    }
    return detail::pack_image<L>(memory, shape, options, run, [&] {
        return detail::float_rows<Rule>(weights, options.scale, tensor);
    });
}

/// Values that are already the layout's -> an image in `memory`; others are refused. Allocates
/// nothing.
template <weight_layout L, executor Executor = const serial>
result<packed_view> pack_into(std::span<std::byte> memory, const quantized_view& weights,
                              const pack_options& options = {}, Executor& run = serial{}) {
    const matrix_view<const std::int8_t>& values = weights.values;
    const auto shape = packed_shape::of<L>(values.rows, values.cols, weights.scale);
    if (const status s = check_view(values); !s.ok()) return s;
    if (const status s = detail::check_memory(memory, shape); !s.ok()) return s;
    if (weights.scales == nullptr && weights.scale.count(values.rows, values.cols) > 0)
        return status{errc::bad_shape, "Quantised weights came without scales."};
    return detail::pack_image<L>(memory, shape, options, run,
                                 [&] { return detail::value_rows(weights); });
}

/// Rows made on demand -> an image in `memory`. `source(row, values, scales)` fills `cols` int8
/// values and one float per segment of the row (with per-tensor scales only row 0's counts) and
/// returns a status. It is called once for each row, by any of the executor's threads. Rows are
/// made whole, so each thread allocates a row block's values.
template <weight_layout L, class Source, executor Executor = const serial>
result<packed_view> pack_rows_into(std::span<std::byte> memory, std::int64_t rows,
                                   std::int64_t cols, Source&& source,
                                   const pack_options& options = {}, Executor& run = serial{}) {
    const auto shape = packed_shape::of<L>(rows, cols, options.scale);
    if (const status s = detail::check_memory(memory, shape); !s.ok()) return s;
    return detail::pack_image<L>(memory, shape, options, run, [&] {
        return detail::made_rows<std::remove_reference_t<Source>>(shape, source);
    });
}

/// pack_into() memory that the packed matrix owns.
template <weight_layout L, class Rule = detail::rule_of<L>, executor Executor = const serial>
packed_matrix<L> pack(std::type_identity_t<matrix_view<const float>> weights,
                      const pack_options& options = {}, Executor& run = serial{}) {
    return detail::pack_owned<L>(packed_shape::of<L>(weights.rows, weights.cols, options.scale),
                                 [&](std::span<std::byte> memory) {
                                     return pack_into<L, Rule>(memory, weights, options, run);
                                 });
}

template <weight_layout L, executor Executor = const serial>
packed_matrix<L> pack(const quantized_view& weights, const pack_options& options = {},
                      Executor& run = serial{}) {
    return detail::pack_owned<L>(
        packed_shape::of<L>(weights.values.rows, weights.values.cols, weights.scale),
        [&](std::span<std::byte> memory) { return pack_into<L>(memory, weights, options, run); });
}

/// pack_rows_into() memory that the packed matrix owns.
template <weight_layout L, class Source, executor Executor = const serial>
packed_matrix<L> pack_rows(std::int64_t rows, std::int64_t cols, Source&& source,
                           const pack_options& options = {}, Executor& run = serial{}) {
    return detail::pack_owned<L>(
        packed_shape::of<L>(rows, cols, options.scale), [&](std::span<std::byte> memory) {
            return pack_rows_into<L>(memory, rows, cols, source, options, run);
        });
}

/// The layout chosen when running: any of the functions above, by id.
template <class Weights, executor Executor = const serial>
any_packed_matrix pack(layout_id layout, const Weights& weights, const pack_options& options = {},
                       Executor& run = serial{}) {
    any_packed_matrix out = detail::unknown_layout;
    visit_layout(layout, [&]<class L>() { out = pack<L>(weights, options, run); });
    return out;
}

template <class Weights, executor Executor = const serial>
result<packed_view> pack_into(layout_id layout, std::span<std::byte> memory, const Weights& weights,
                              const pack_options& options = {}, Executor& run = serial{}) {
    result<packed_view> out = detail::unknown_layout;
    visit_layout(layout, [&]<class L>() { out = pack_into<L>(memory, weights, options, run); });
    return out;
}

template <class Source, executor Executor = const serial>
any_packed_matrix pack_rows(layout_id layout, std::int64_t rows, std::int64_t cols, Source&& source,
                            const pack_options& options = {}, Executor& run = serial{}) {
    any_packed_matrix out = detail::unknown_layout;
    visit_layout(layout, [&]<class L>() { out = pack_rows<L>(rows, cols, source, options, run); });
    return out;
}

template <class Source, executor Executor = const serial>
result<packed_view> pack_rows_into(layout_id layout, std::span<std::byte> memory, std::int64_t rows,
                                   std::int64_t cols, Source&& source,
                                   const pack_options& options = {}, Executor& run = serial{}) {
    result<packed_view> out = detail::unknown_layout;
    visit_layout(layout, [&]<class L>() {
        out = pack_rows_into<L>(memory, rows, cols, source, options, run);
    });
    return out;
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
