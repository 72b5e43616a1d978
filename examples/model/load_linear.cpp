// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a GGUF tensor. Leaves: a dense or a packed matrix; see linear.hpp.
#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <trilobit/pack/pack.hpp>

#include "gguf/blocks.hpp"
#include "gguf/dequantize.hpp"
#include "gguf/finite.hpp"
#include "gguf/reader.hpp"
#include "gguf/ternary_rows.hpp"
#include "model/linear.hpp"

namespace tbx::model {
namespace {

[[noreturn]] void fail(const gguf::reader& file, const gguf::tensor& from, std::string_view what) {
    file.fail(std::string(from.name) + ": " + std::string(what));
}

/// What a packer says, after which weight it says it of.
std::string sentence(const trilobit::status& s, const selection& kept) {
    if (s.row < 0) return s.text;
    const auto at = [](std::span<const std::int32_t> chosen, std::int64_t i) {
        return std::to_string(chosen.empty() ? i : chosen[static_cast<std::size_t>(i)]);
    };
    return "row " + at(kept.rows, s.row) + ", column " + at(kept.cols, s.col) + ": " + s.text;
}

std::optional<number_type> dense_type(gguf::tensor_type type) {
    switch (type) {
        case gguf::tensor_type::f32:
            return number_type::f32;
        case gguf::tensor_type::f16:
            return number_type::f16;
        case gguf::tensor_type::bf16:
            return number_type::bf16;
        case gguf::tensor_type::q8_0:
            return number_type::q8_0;
        case gguf::tensor_type::q6_k:
            return number_type::q6_k;
        default:
            return std::nullopt;
    }
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

// About a megabyte at a time: enough to be worth waking a thread for.
void require_finite(compute& cpu, const gguf::reader& file, const gguf::tensor& from) {
    const std::int64_t row_bytes = std::ssize(from.data) / from.rows() + 1;
    std::atomic<bool> finite = true;
    cpu.pool(0, from.rows(), (std::int64_t{1} << 20) / row_bytes + 1,
             [&](std::int64_t begin, std::int64_t end) {
                 if (!gguf::all_finite(from, begin, end)) finite = false;
             });
    if (!finite) gguf::refuse_not_finite(file, from);
}

}  // namespace

dense_matrix load_dense(compute& cpu, const gguf::reader& file, const gguf::tensor& from) {
    dense_matrix w{number_type::f32, from.rows(), from.columns(), from.data.data(), {}};
    require_finite(cpu, file, from);
    // Kernels read a file's numbers in place where they are the machine's own.
    if (const auto type = dense_type(from.type); type && trilobit::little_endian) {
        w.type = *type;
        return w;
    }
    if (!gguf::can_dequantize(from.type))
        fail(file, from, "its type " + gguf::name_of(from.type) + " cannot be read");
    w.owned = trilobit::aligned_buffer(static_cast<std::size_t>(w.bytes()));
    if (w.owned.data() == nullptr) fail(file, from, "not enough memory to hold it as floats");
    auto* out = reinterpret_cast<float*>(w.owned.data());
    for (std::int64_t r = 0; r < w.rows; ++r)
        gguf::dequantize_row(from, r, {out + r * w.cols, static_cast<std::size_t>(w.cols)});
    w.data = w.owned.data();
    return w;
}

linear load_linear(compute& cpu, const gguf::reader& file, const gguf::tensor& from,
                   trilobit::layout_id layout, const progress& report, const selection& kept) {
    if (!gguf::is_ternary(from.type)) {
        linear dense{load_dense(cpu, file, from)};
        if (report) report(1.0);
        return dense;
    }
    const gguf::ternary_rows source(file, from);
    const std::int64_t group = source.group_columns();
    // BitNet has one scale for a matrix, and formats that repeat it in every block are the commoner
    // ones: finding that all are equal saves the kernels a multiplication per 256 columns.
    const std::optional<float> common = source.only_scale();
    const auto spec = common ? trilobit::scale_spec::tensor()
                             : trilobit::scale_spec::group(static_cast<int>(group));
    const std::int64_t rows = kept.rows.empty() ? source.rows() : std::ssize(kept.rows);
    const std::int64_t cols = kept.cols.empty() ? source.columns() : std::ssize(kept.cols);
    first_failure failure;
    const auto row = [&](std::int64_t r, std::int8_t* values, float* scales) {
        return failure.run([&] {
            thread_local std::vector<std::int8_t> whole;
            thread_local std::vector<float> stored;
            std::span<std::int8_t> trits(values, static_cast<std::size_t>(cols));
            if (!kept.cols.empty()) {
                whole.resize(static_cast<std::size_t>(source.columns()));
                trits = whole;
            }
            stored.resize(static_cast<std::size_t>(source.scales_per_row()));
            source.decode(kept.rows.empty() ? r : kept.rows[static_cast<std::size_t>(r)], trits,
                          stored);
            if (common) {
                scales[0] = *common;
                for (std::size_t g = 0; g < stored.size(); ++g)
                    if (stored[g] == 0.0f)
                        std::fill_n(trits.data() + static_cast<std::ptrdiff_t>(g) * group, group,
                                    std::int8_t{0});
            } else {
                std::copy(stored.begin(), stored.end(), scales);
            }
            for (std::size_t i = 0; i < kept.cols.size(); ++i)
                values[i] = trits[static_cast<std::size_t>(kept.cols[i])];
        });
    };
    linear packed{trilobit::pack_rows(layout, rows, cols, row, packing(spec, report), cpu.pool)};
    failure.rethrow();
    if (const auto s = std::get<trilobit::any_packed_matrix>(packed.weights).status(); !s.ok())
        fail(file, from, sentence(s, kept));
    return packed;
}

}  // namespace tbx::model
