// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a GGUF tensor. Leaves: a packed or a dense matrix; see linear.hpp.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include <trilobit/pack/pack.hpp>

#include "formats/layout.hpp"
#include "formats/stq1_0.hpp"
#include "gguf/packed.hpp"
#include "gguf/reader.hpp"
#include "gguf/weight_rows.hpp"
#include "model/linear.hpp"

namespace tbx::model {

namespace {

[[noreturn]] void fail(const gguf::reader& file, const gguf::tensor& from, std::string_view what) {
    file.fail(std::string(from.name) + ": " + std::string(what));
}

/// Of images: activations that stay floats meet other weights alone.
void require_ints(compute& cpu, const gguf::reader& file, const gguf::tensor& from) {
    if (cpu.activations == activation_rule::none)
        fail(file, from,
             "is packed, and floats meet no packed weights; convert it to another type");
}

/// What a packer says, after which weight it says it of.
std::string sentence(const trilobit::status& s, const selection& kept) {
    if (s.row < 0) return s.text;
    const auto at = [](std::span<const std::int32_t> chosen, std::int64_t i) {
        return std::to_string(chosen.empty() ? i : chosen[static_cast<std::size_t>(i)]);
    };
    return "row " + at(kept.rows, s.row) + ", column " + at(kept.cols, s.col) + ": " + s.text;
}

/// Exceptions may not cross the library's threads: the first one waits here for the caller.
class first_failure {
    std::atomic_flag taken;
    std::exception_ptr held;

public:
    template <class F>
    trilobit::status run(F&& f) {
        try {
            f();
            return {};
        } catch (...) {
            if (!taken.test_and_set()) held = std::current_exception();
            return {trilobit::errc::bad_value, "A row could not be read."};
        }
    }
    void rethrow() const {
        if (held) std::rethrow_exception(held);
    }
};

// Enough rows at a time to be worth waking a thread for.
constexpr std::int64_t rows_at_once = 64;

formats::scale_summary summarise(compute& cpu, const formats::matrix_rows& of) {
    formats::scale_summary all;
    std::atomic_flag taken;  // no mutex: WebAssembly's library has none
    cpu.pool(0, of.count(), rows_at_once, [&](std::int64_t begin, std::int64_t end) {
        const auto some = formats::summarise(of, begin, end);
        while (taken.test_and_set(std::memory_order_acquire)) continue;
        all.add(some);
        taken.clear(std::memory_order_release);
    });
    return all;
}

/// Is there a fourth level among the weights? Most tensors of such a type are ternary.
bool has_fourth_level(compute& cpu, const formats::matrix_rows& of) {
    std::atomic<bool> found = false;
    cpu.pool(0, of.count(), rows_at_once, [&](std::int64_t begin, std::int64_t end) {
        thread_local std::vector<std::int8_t> values;
        thread_local std::vector<float> scales;
        values.resize(static_cast<std::size_t>(of.cols()));
        scales.resize(static_cast<std::size_t>(of.scales_per_row()));
        for (std::int64_t r = begin; r < end && !found; ++r) {
            (void)of.read(r, values.data(), scales.data());
            std::int8_t most = 0;
            for (const std::int8_t v : values) most = std::max(most, v);
            if (most > 1) found = true;
        }
    });
    return found;
}

/// The layout for these weights; ternary ones lie as asked.
trilobit::layout_id layout_for(compute& cpu, const formats::matrix_rows& of,
                               trilobit::layout_id asked) {
    const formats::kind values = of.of().values;
    const bool three = values == formats::kind::quaternary && !has_fourth_level(cpu, of);
    return three ? asked : formats::layout_of(values, asked);
}

/// The fewest scales that say the same. BitNet has one for a matrix, and formats that repeat it in
/// every block are the commoner ones: finding that all are equal saves the kernels a multiplication
/// for every group.
trilobit::scale_spec spec_for(const formats::format& of, const formats::scale_summary& scales) {
    switch (scales.per) {
        case formats::scale_per::tensor:
            return trilobit::scale_spec::tensor();
        case formats::scale_per::row:
            return trilobit::scale_spec::row();
        default:
            return trilobit::scale_spec::group(of.group);
    }
}

/// A tensor of few levels, and how its matrices are packed.
struct few_levels {
    const gguf::reader& file;
    const gguf::tensor& from;
    gguf::weight_rows source;
    formats::scale_summary alike;
    trilobit::layout_id layout;

    few_levels(compute& cpu, const gguf::reader& in, const gguf::tensor& t,
               trilobit::layout_id asked)
        : file(in),
          from(t),
          source(in, t),
          alike(summarise(cpu, source.matrix())),
          layout(layout_for(cpu, source.matrix(), asked)) {}

    [[nodiscard]] bool grouped() const noexcept { return alike.per == formats::scale_per::group; }
    [[nodiscard]] linear pack(compute& cpu, const progress& report, const selection& kept) const;
    [[nodiscard]] linear keep_dense(compute& cpu, const selection& kept) const;
};

linear few_levels::pack(compute& cpu, const progress& report, const selection& kept) const {
    const formats::matrix_rows& weights = source.matrix();
    const std::int64_t rows = kept.rows.empty() ? source.rows() : std::ssize(kept.rows);
    const std::int64_t cols = kept.cols.empty() ? source.columns() : std::ssize(kept.cols);
    // Whole groups are needed, so all columns; and llama.cpp rounds columns that are side by side.
    const bool regroup = from.type == gguf::tensor_type::stq1_0 && kept.cols.empty() &&
                         layout == trilobit::layout_id::ternary_3of4 &&
                         cpu.activations == activation_rule::token;
    first_failure failure;
    const auto row = [&](std::int64_t r, std::int8_t* values, float* scales) {
        return failure.run([&] {
            thread_local std::vector<std::int8_t> whole;
            thread_local std::vector<float> stored;
            std::int8_t* levels = values;
            if (!kept.cols.empty() || regroup) {
                whole.resize(static_cast<std::size_t>(source.columns()));
                levels = whole.data();
            }
            stored.resize(static_cast<std::size_t>(source.scales_per_row()));
            const std::int64_t at = kept.rows.empty() ? r : kept.rows[static_cast<std::size_t>(r)];
            const auto found = grouped() ? weights.read(at, levels, stored.data())
                                         : weights.read_alike(at, levels, stored.data());
            if (found != formats::fault::none) source.refuse(at, found);
            if (grouped())
                std::copy(stored.begin(), stored.end(), scales);
            else if (alike.per == formats::scale_per::tensor)
                scales[0] = alike.only;
            else
                scales[0] = formats::scale_of_row(stored);
            if (regroup) formats::group_neighbours(levels, cols, values);
            for (std::size_t i = 0; i < kept.cols.size(); ++i)
                values[i] = levels[static_cast<std::size_t>(kept.cols[i])];
        });
    };
    const trilobit::scale_spec spec = spec_for(weights.of(), alike);
    linear packed{trilobit::pack_rows(layout, rows, cols, row, packing(spec, report), cpu.pool)};
    packed.grouped = regroup;
    failure.rethrow();
    if (const auto s = std::get<trilobit::any_packed_matrix>(packed.weights).status(); !s.ok())
        fail(file, from, sentence(s, kept));
    return packed;
}

// Levels in bytes, times the one scale of the matrix at the end, or floats, which take four times
// as much memory, where there are several scales.
linear few_levels::keep_dense(compute& cpu, const selection& kept) const {
    const formats::matrix_rows& weights = source.matrix();
    const std::int64_t rows = kept.rows.empty() ? source.rows() : std::ssize(kept.rows);
    const std::int64_t cols = source.columns(), width = weights.scale_cols();
    const bool bytes = alike.per == formats::scale_per::tensor && cols % 32 == 0;
    dense_matrix w{bytes ? number_type::q8_0 : number_type::f32, rows, cols, nullptr, {}};
    w.owned = trilobit::aligned_buffer(static_cast<std::size_t>(w.bytes()));
    if (w.owned.data() == nullptr) fail(file, from, "not enough memory to hold it as bytes");
    w.data = w.owned.data();
    first_failure failure;
    cpu.pool(0, rows, rows_at_once, [&](std::int64_t begin, std::int64_t end) {
        (void)failure.run([&] {
            std::vector<std::int8_t> values(static_cast<std::size_t>(cols));
            std::vector<float> scales(static_cast<std::size_t>(source.scales_per_row()));
            for (std::int64_t r = begin; r < end; ++r) {
                const std::int64_t at =
                    kept.rows.empty() ? r : kept.rows[static_cast<std::size_t>(r)];
                const auto found = weights.read_alike(at, values.data(), scales.data());
                if (found != formats::fault::none) source.refuse(at, found);
                std::byte* to = w.owned.data() + r * w.stride();
                if (bytes) {
                    constexpr std::uint16_t unit = 0x3c00;  // 1 as a half
                    for (std::int64_t c = 0; c < cols; c += 32, to += 34) {
                        std::memcpy(to, &unit, sizeof unit);
                        std::memcpy(to + 2, values.data() + c, 32);
                    }
                    continue;
                }
                for (std::int64_t c = 0; c < cols; ++c, to += 4) {
                    const float value = scales[static_cast<std::size_t>(c / width)] *
                                        static_cast<float>(values[static_cast<std::size_t>(c)]);
                    std::memcpy(to, &value, sizeof value);
                }
            }
        });
    });
    failure.rethrow();
    linear dense{std::move(w)};
    if (bytes) dense.scale = alike.only;
    return dense;
}

}  // namespace

linear load_linear(compute& cpu, const gguf::reader& file, const gguf::tensor& from,
                   trilobit::layout_id layout, const progress& report, const selection& kept) {
    const bool floats = cpu.activations == activation_rule::none;
    if (const auto image = gguf::packed_image(file, from)) {
        require_ints(cpu, file, from);
        return linear{*image};
    }
    if (gguf::few_levels(from.type) == nullptr) {
        linear dense{load_dense(cpu, file, from)};
        if (report) report(1.0);
        return dense;
    }
    const few_levels levels(cpu, file, from, layout);
    return floats ? levels.keep_dense(cpu, kept) : levels.pack(cpu, report, kept);
}

std::vector<linear> load_stack(compute& cpu, const gguf::reader& file, const gguf::tensor& from,
                               std::int64_t count, trilobit::layout_id layout,
                               const progress& report) {
    const std::int64_t rows = from.rows() / count;
    std::vector<linear> stack;
    if (const auto images = gguf::packed_images(file, from); !images.empty()) {
        if (std::ssize(images) != count)
            fail(file, from, "holds another number of experts than the model has");
        require_ints(cpu, file, from);
        for (const trilobit::packed_view& image : images) stack.push_back(linear{image});
        return stack;
    }
    if (gguf::few_levels(from.type) == nullptr) {
        dense_matrix all = load_dense(cpu, file, from);
        for (std::int64_t i = 0; i < count; ++i)
            stack.push_back(linear{dense_matrix{all.type, rows, all.cols, all.row(i * rows), {}}});
        // The first owns what all look at, if it is not the file's.
        std::get<dense_matrix>(stack.front().weights).owned = std::move(all.owned);
        return stack;
    }
    const few_levels levels(cpu, file, from, layout);
    std::vector<std::int32_t> own(static_cast<std::size_t>(rows));
    for (std::int64_t i = 0; i < count; ++i) {
        for (std::int64_t r = 0; r < rows; ++r)
            own[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(i * rows + r);
        const selection kept{.rows = own};
        stack.push_back(cpu.activations == activation_rule::none ? levels.keep_dense(cpu, kept)
                                                                 : levels.pack(cpu, {}, kept));
        if (report) report(static_cast<double>(i + 1) / static_cast<double>(count));
    }
    return stack;
}

}  // namespace tbx::model
