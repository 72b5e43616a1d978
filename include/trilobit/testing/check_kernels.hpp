// SPDX-License-Identifier: MIT
// Room testing. Enters: the kernels of one back end, and layouts, the library's or anybody's.
// Leaves: whether every kernel gives the oracle's bits over shapes, scales, groupings, batch splits
// and the sums that overflow careless code, touching no byte that is not its own.
#pragma once

#include "trilobit/version.hpp"

#include <array>
#include <cstring>

#include "trilobit/matmul/matmul.hpp"
#include "trilobit/testing/kernel_case.hpp"
#include "trilobit/testing/plain_quantize.hpp"
#include "trilobit/testing/report.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::testing {

struct kernel_check_options {
    std::uint64_t seed = 1;
    int cases = 60;                                 ///< for each layout and activation
    std::int64_t max_work = std::int64_t{1} << 20;  ///< multiply-adds of one case
    std::int64_t adversarial_cols = max_cols;       ///< widest of the sums at their bounds; 0: none
    std::int64_t tall_rows = 2067;                  ///< of few tokens in one call; 0: none
};

/// A packed image in memory that ends where reading faults.
struct guarded_image {
    guarded_buffer bytes;
    packed_view view;
    status problem;

    explicit guarded_image(const any_packed_matrix& packed)
        : bytes(static_cast<std::int64_t>(packed.bytes().size())) {
        problem = packed.status();
        if (!problem.ok()) return;
        std::memcpy(bytes.data(), packed.bytes().data(), packed.bytes().size());
        const auto viewed = view_packed({bytes.data(), bytes.size()});
        problem = viewed.error();
        if (viewed.ok()) view = viewed.value();
    }
};

namespace detail {

/// A matrix of outputs that ends at a guard page; beside each row lie floats nobody may write.
class guarded_output {
    static constexpr std::int64_t margin = 5;
    std::int64_t tokens, rows;
    guarded_buffer memory;
    std::vector<int> writes;

public:
    guarded_output(std::int64_t m, std::int64_t n)
        : tokens(m),
          rows(n),
          memory((m > 0 ? (m - 1) * (n + margin) + n : 0) * 4, 4),
          writes(static_cast<std::size_t>(m * n)) {}
    [[nodiscard]] matrix_view<float> view() const noexcept {
        return {memory.as<float>(), tokens, rows, rows + margin};
    }
    /// sink::write for this output as the context
    static void write(const void* self, const float* sums, std::int64_t token, std::int64_t row,
                      int count) {
        auto& to = *static_cast<guarded_output*>(const_cast<void*>(self));
        std::memcpy(to.view().row(token) + row, sums,
                    sizeof(float) * static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i)
            ++to.writes[static_cast<std::size_t>(token * to.rows + row + i)];
    }
    /// What differs from `expected`, or nothing. `counted`: every output was written exactly once.
    [[nodiscard]] std::string difference(const std::vector<float>& expected, bool counted) const {
        for (std::int64_t m = 0; m < tokens; ++m)
            for (std::int64_t n = 0; n < rows; ++n) {
                const auto i = static_cast<std::size_t>(m * rows + n);
                const float got = view()(m, n);
                const std::string where =
                    "token " + std::to_string(m) + ", row " + std::to_string(n);
                if (counted && writes[i] != 1)
                    return where + " was written " + std::to_string(writes[i]) + " times";
                if (std::memcmp(&got, &expected[i], sizeof got) != 0) {
                    char numbers[96];
                    std::snprintf(
                        numbers, sizeof numbers, " is %.9g (%a), the oracle has %.9g (%a)",
                        static_cast<double>(got), static_cast<double>(got),
                        static_cast<double>(expected[i]), static_cast<double>(expected[i]));
                    return where + numbers;
                }
            }
        for (std::int64_t m = 0; m + 1 < tokens; ++m)
            for (std::int64_t n = rows; n < rows + margin; ++n) {
                const std::uint32_t untouched = 0xa5a5a5a5u;
                if (std::memcmp(view().row(m) + n, &untouched, 4) != 0)
                    return "something was written past the last row of token " + std::to_string(m);
            }
        return {};
    }
};

inline std::string name_of(const kernel_table& table, const kernel_entry& e,
                           std::string_view layout) {
    const auto text = [](std::string_view s) { return std::string(s); };
    return "layout " + text(layout) + ", kernel " + text(kernel_name(e.kernel)) + ", activation " +
           text(activation_name(e.activation)) + ", arch " + text(table.name);
}

/// One kernel, called as matmul() would, but with the work cut into odd pieces.
inline std::string run_entry(const kernel_entry& e, const packed_view& w, const kernel_case& c,
                             const kernel_operands& o) {
    const activation_view x = o.activations();
    const guarded_buffer operand(e.operand_bytes(w, x)), scratch(e.scratch_bytes);
    guarded_output y(c.tokens, c.rows);
    const kernel::task t{w, x, operand.data(), {&guarded_output::write, &y}, scratch.data()};
    generator r(c.seed + 1);
    // Nothing, or [0, end) in rising pieces.
    const auto pieces = [&](std::int64_t end, auto&& f) {
        for (std::int64_t at = 0; at < end;) {
            const std::int64_t stop = r.between(0, 3) == 0 ? r.between(at + 1, end) : end;
            f(at, stop);
            at = stop;
        }
    };
    pieces(c.tokens, [&](std::int64_t begin, std::int64_t end) { e.prepare(t, begin, end); });
    pieces(w.row_blocks(), [&](std::int64_t b0, std::int64_t b1) {
        pieces(c.tokens, [&](std::int64_t t0, std::int64_t t1) { e.run(t, b0, b1, t0, t1); });
    });
    return y.difference(o.expected, true);
}

/// The exact sums of a product of one segment, scaled here.
inline std::string run_sums(const kernel_entry& e, const packed_view& w, const kernel_case& c,
                            const kernel_operands& o) {
    const activation_view x = o.activations();
    if (kernel::segment::count(w, x) != 1) return {};
    const guarded_buffer operand(e.operand_bytes(w, x)), scratch(e.scratch_bytes);
    guarded_output y(c.tokens, c.rows);
    struct scaled {
        const packed_view& w;
        const activation_view& x;
        guarded_output& y;
        static void write(const void* self, const std::int32_t* sums, std::int64_t token,
                          std::int64_t row, int count) {
            const auto& to = *static_cast<const scaled*>(self);
            const std::int64_t rows = to.w.tile.rows;
            for (std::int64_t r = row; r < row + count; ++r) {
                const float scale = to.w.scale.per == granularity::tensor
                                        ? to.w.scale_at(0)
                                        : to.w.scale_at(r / rows * rows + r % rows);
                const float sum = 0.0f + hidden(static_cast<float>(sums[r - row]) *
                                                hidden(scale * to.x.scale_of(token, 0)));
                guarded_output::write(&to.y, &sum, token, r, 1);
            }
        }
    } out{w, x, y};
    const kernel::task t{w, x, operand.data(), {nullptr, &out, &scaled::write}, scratch.data()};
    e.prepare(t, 0, c.tokens);
    e.run(t, 0, w.row_blocks(), 0, c.tokens);
    return y.difference(o.expected, true);
}

/// The whole way from floats: quantisation by the table, the kernel by its name.
inline std::string run_matmul(const kernel_table& table, kernel_id kernel, const packed_view& w,
                              const kernel_case& c, const kernel_operands& o,
                              matrix_view<const float> x) {
    guarded_output y(c.tokens, c.rows);
    context with{table, {}, {c.activation, c.activation_group, kernel}};
    const status s = trilobit::matmul(with, w, x, y.view());
    return s.ok() ? y.difference(o.expected, false) : std::string(s.text);
}

/// All kernels of the table for one layout on one case; the first failure.
template <weight_layout L>
report run_case(const kernel_table& table, const kernel_case& c) {
    const auto failed = [&](const kernel_entry& e, const std::string& what) {
        return report::failure(name_of(table, e, L::name) + ", " + describe(c) + ": " + what + ".");
    };
    kernel_operands o = make_operands<typename L::kind>(c);
    const guarded_image w(pack<L>(o.quantized(c)));
    if (!w.problem.ok())
        return report::failure("layout " + std::string(std::string_view(L::name)) + ", " +
                               describe(c) + ": packing failed: " + w.problem.text);
    const auto serves = [&](const kernel_entry& e) {
        return e.layout == L::id && e.activation == c.activation && e.accepts(w.view, o.shape);
    };
    for (const kernel_entry& e : table)
        if (serves(e)) {
            if (const std::string wrong = run_entry(e, w.view, c, o); !wrong.empty())
                return failed(e, wrong);
            if (const std::string wrong = run_sums(e, w.view, c, o); !wrong.empty())
                return failed(e, "exact sums: " + wrong);
        }
    if (c.activations != fill::random || c.seed % 3 != 0) return {};

    // Again from floats, with values on and beside the points where rounding changes its mind.
    const guarded_buffer floats((c.tokens > 0 ? (c.tokens - 1) * (c.cols + 3) + c.cols : 0) * 4, 4);
    const matrix_view<float> x(floats.as<float>(), c.tokens, c.cols, c.cols + 3);
    generator r(c.seed + 2);
    for (std::int64_t m = 0; m < c.tokens; ++m) {
        for (std::int64_t k = 0; k < c.cols; ++k)
            x(m, k) = k == 0              ? 127.0f
                      : r.bits() % 2 == 0 ? static_cast<float>(r.between(-254, 254)) * 0.5f
                                          : r.unit() * 127.0f;
        plain_quantize(o.shape, x.row(m), o.values.as<std::int8_t>() + m * o.shape.value_stride(),
                       o.scales.as<float>() + m * o.shape.segments());
    }
    work_out(c, o);
    for (const kernel_entry& e : table)
        if (serves(e))
            if (const std::string wrong = run_matmul(table, e.kernel, w.view, c, o, x);
                !wrong.empty())
                return failed(e, "from floats: " + wrong);
    return {};
}

/// Sums at the bounds: weights and activations all at one end, at widths where int16 and int32
/// staging is full, and in every number of tokens that a kernel takes at once.
template <weight_layout L>
report run_adversarial(const kernel_table& table, activation_id activation, std::int64_t widest) {
    constexpr fill fills[][2] = {
        {fill::highest, fill::highest},     {fill::highest, fill::lowest},
        {fill::lowest, fill::lowest},       {fill::lowest, fill::highest},
        {fill::highest, fill::alternating}, {fill::alternating, fill::alternating},
        {fill::zero, fill::highest},        {fill::zero, fill::lowest}};
    constexpr std::int64_t widths[] = {2048, 2176, 4096, 14336, 65536, 262144};
    std::uint64_t seed = 1;
    for (const std::int64_t cols : widths) {
        if (cols > widest) continue;
        for (const auto& f : fills) {
            if (cols > 14336 && f[0] == fill::zero) continue;
            const std::int64_t tokens = cols > 65536 ? 1 : cols > 14336 ? 4 : 7;
            const scale_spec scale = seed % 4 == 0 ? scale_spec::group(256) : scale_spec::row();
            const kernel_case c{activation, 3, cols, tokens, scale, 0, f[0], f[1], 3 * seed++ + 1};
            if (report one = run_case<L>(table, c); !one) return one;
        }
    }
    return {};
}

/// More rows in one call than blocks, and what families keep beside them, have room for: of one
/// segment that no panel holds, and of more segments than are scaled at once.
template <weight_layout L>
report run_tall(const kernel_table& table, std::int64_t rows) {
    for (const std::int64_t tokens : {1, 5})
        for (const auto& [cols, scale] :
             {std::pair{1100, scale_spec::row()}, std::pair{1088, scale_spec::group(32)}}) {
            kernel_case c{activation_id::int8, rows, cols, tokens, scale};
            c.seed = 3;  // from floats too, whose rows are in one piece
            if (report one = run_case<L>(table, c); !one) return one;
        }
    return {};
}

template <weight_layout L>
report check_layout_kernels(const kernel_table& table, const kernel_check_options& options) {
    report first;
    any_type(activations{}, [&]<class Act>() {
        case_source source(options.seed, options.max_work);
        for (int i = 0; i < options.cases && first.ok; ++i)
            first = run_case<L>(table, source.next(Act::id));
        // Wider activations reach every bound first.
        const std::int64_t widest = Act::id == activation_id::int8
                                        ? options.adversarial_cols
                                        : std::min<std::int64_t>(options.adversarial_cols, 14336);
        if (first.ok) first = run_adversarial<L>(table, Act::id, widest);
        return !first.ok;
    });
    if (first.ok && options.tall_rows > 0) first = run_tall<L>(table, options.tall_rows);
    return first;
}

}  // namespace detail

/// Every kernel of `table` for the given layouts. Kernels that a table lacks are not missed.
template <class... Layouts>
report check_kernels(const kernel_table& table, type_list<Layouts...>,
                     const kernel_check_options& options = {}) {
    report first;
    (void)((first = detail::check_layout_kernels<Layouts>(table, options), first.ok) && ...);
    return first;
}

/// The same for the library's layouts: what a new back end has to pass.
inline report check_kernels(const kernel_table& table, const kernel_check_options& options = {}) {
    return check_kernels(table, layouts{}, options);
}

}  // namespace trilobit::inline TRILOBIT_ABI::testing

#include "trilobit/core/end.hpp"
