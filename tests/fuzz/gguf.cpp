// SPDX-License-Identifier: MIT
// Fuzzing of room gguf. Enters: any bytes; the first says how ambiguous types are read, the rest is
// the file. Leaves: nothing: every file gives an error or a reader all of whose offers can be used.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "gguf/dequantize.hpp"
#include "gguf/finite.hpp"
#include "gguf/graph_keys.hpp"
#include "gguf/reader.hpp"
#include "gguf/weight_rows.hpp"
#include "support/error.hpp"

namespace {

using namespace tbx;

void use_metadata(const gguf::reader& file) {
    for (const gguf::entry& e : file.entries()) {
        (void)gguf::describe(e);
        if (e.type != gguf::value_type::array) continue;
        if (e.element == gguf::value_type::string) (void)file.strings(e.key);
        if (e.element == gguf::value_type::f32) {
            const auto numbers = file.array<float>(e.key);
            volatile float sum = 0;
            for (std::size_t i = 0; i < numbers.size(); ++i) sum = sum + numbers[i];
        }
    }
    gguf::refuse_other_graphs(file, "llama.", 128, 64);
}

void use_tensor(const gguf::reader& file, const gguf::tensor& t) {
    // A file of some bytes has no longer rows, but for types that the sizes are unknown of.
    if (!gguf::can_dequantize(t.type) || t.columns() > 1 << 20) return;
    std::vector<float> row(static_cast<std::size_t>(t.columns()));
    for (const std::int64_t r : {std::int64_t{0}, t.rows() / 2, t.rows() - 1}) try {
            gguf::dequantize_row(t, r, row);
        } catch (const error&) {}
    (void)gguf::all_finite(t, 0, std::min<std::int64_t>(t.rows(), 64));
    if (gguf::few_levels(t.type) == nullptr) return;
    const gguf::weight_rows rows(file, t);
    (void)rows.is_zero(t.rows() - 1);
    (void)formats::summarise(rows.matrix(), 0, std::min<std::int64_t>(t.rows(), 64));
}

void use(std::span<const std::byte> bytes, std::span<const gguf::read_as> told) {
    try {
        const gguf::reader file("fuzzed", bytes, told);
        for (const gguf::tensor& t : file.tensors()) try {
                use_tensor(file, t);
            } catch (const error&) {}
        use_metadata(file);
    } catch (const error&) {}
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // A heap block of exactly this size, so that AddressSanitizer sees the first byte too many.
    const std::unique_ptr<std::byte[]> block(new std::byte[size - 1]);
    if (size > 1) std::memcpy(block.get(), data + 1, size - 1);
    using gguf::tensor_type;
    constexpr gguf::read_as choices[][2] = {
        {},
        {{36, tensor_type::i2_s_arm}, {42, tensor_type::tl2, {32, 96, 32}}},
        {{36, tensor_type::i2_s_1x4}, {42, tensor_type::stq1_0}},
        {{38, tensor_type::tl1, {64, 64, 64}}, {42, tensor_type::pq2_0}},
    };
    const unsigned choice = data[0] % 4;
    use({block.get(), size - 1},
        choice == 0 ? std::span<const gguf::read_as>() : std::span(choices[choice]));
    return 0;
}
