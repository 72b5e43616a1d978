// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a GGUF tensor of ordinary numbers. Leaves: a matrix that lies where
// the file has it; see linear.hpp.
#include <atomic>
#include <optional>
#include <string>

#include "gguf/dequantize.hpp"
#include "gguf/finite.hpp"
#include "gguf/packed.hpp"
#include "gguf/reader.hpp"
#include "model/linear.hpp"

namespace tbx::model {

std::optional<number_type> dense_type(gguf::tensor_type type) noexcept {
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
        case gguf::tensor_type::q4_0:
            return number_type::q4_0;
        case gguf::tensor_type::iq4_nl:
            return number_type::iq4_nl;
        case gguf::tensor_type::q4_k:
            return number_type::q4_k;
        case gguf::tensor_type::q5_k:
            return number_type::q5_k;
        default:
            return std::nullopt;
    }
}

namespace {

// About a megabyte at a time: enough to be worth waking a thread for.
void require_finite_rows(compute& cpu, const gguf::reader& file, const gguf::tensor& from) {
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
    // Of a file of packed images that was done when it was written.
    if (!gguf::has_images(file)) require_finite_rows(cpu, file, from);
    // Kernels read a file's numbers in place where they are the machine's own.
    if (const auto type = dense_type(from.type); type && trilobit::little_endian) {
        w.type = *type;
        return w;
    }
    if (!gguf::can_dequantize(from.type))
        file.fail(std::string(from.name) + ": its type " + gguf::name_of(from.type) +
                  " cannot be read");
    w.owned = trilobit::aligned_buffer(static_cast<std::size_t>(w.bytes()));
    if (w.owned.data() == nullptr)
        file.fail(std::string(from.name) + ": not enough memory to hold it as floats");
    auto* out = reinterpret_cast<float*>(w.owned.data());
    for (std::int64_t r = 0; r < w.rows; ++r)
        gguf::dequantize_row(from, r, {out + r * w.cols, static_cast<std::size_t>(w.cols)});
    w.data = w.owned.data();
    return w;
}

}  // namespace tbx::model
