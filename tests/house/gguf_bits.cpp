// SPDX-License-Identifier: MIT
// A GGUF file is read and written as the same numbers and bytes on every machine.
//   gguf_bits MODEL SCRATCH    MODEL is examples/models/stories-ternary.gguf
#include <string>
#include <vector>

#include "bits.hpp"
#include "gguf/dequantize.hpp"
#include "gguf/quantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/weight_rows.hpp"
#include "gguf/writer.hpp"

namespace {

using namespace tbx;
using house::hasher;

void add_text(hasher& all, std::string_view text) { all.add(std::as_bytes(std::span(text))); }

std::uint64_t numbers_of(const gguf::reader& file) {
    hasher all;
    for (const gguf::entry& e : file.entries()) {
        add_text(all, gguf::describe(e));
        const std::string key(e.key);
        if (e.type != gguf::value_type::array) continue;
        if (e.element == gguf::value_type::string)
            for (const std::string_view s : file.strings(key)) add_text(all, s);
        if (e.element == gguf::value_type::f32) {
            const auto values = file.array<float>(key);
            for (std::size_t i = 0; i < values.size(); ++i) {
                const float one[] = {values[i]};
                all.add(one);
            }
        }
    }
    for (const gguf::tensor& t : file.tensors()) {
        std::vector<float> row(static_cast<std::size_t>(t.columns()));
        for (std::int64_t r = 0; r < t.rows(); ++r) {
            gguf::dequantize_row(t, r, row);
            all.add(row);
        }
    }
    return all.value;
}

void write(const std::string& path) {
    constexpr std::int64_t columns = 256;
    const std::vector<float> values = house::floats(2 * columns, 3, 118, 129);
    std::vector<std::int8_t> trits;
    for (std::int64_t i = 0; i < columns; ++i) trits.push_back(static_cast<std::int8_t>(i % 3 - 1));
    gguf::writer out(path);
    out.set("u", std::uint32_t{7});
    out.set("i", std::int64_t{-5});
    out.set("f", 0.75f);
    out.set_array("n", std::span<const float>(values).first(5));
    using type = gguf::tensor_type;
    for (const type t : {type::f32, type::f16, type::bf16, type::q8_0})
        out.add_tensor(gguf::name_of(t), t, {columns, 2});
    for (const type t : {type::tq1_0, type::tq2_0, type::i2_s})
        out.add_tensor(gguf::name_of(t), t, {columns, 1});
    out.append_floats(values);
    for (const type t : {type::f16, type::bf16, type::q8_0})
        out.append(gguf::quantize(t, values, columns));
    for (const type t : {type::tq1_0, type::tq2_0, type::i2_s})
        out.append(gguf::encode_ternary(t, trits, columns, 0.375f));
    out.finish();
}

bool same(const char* what, std::uint64_t got, std::uint64_t wanted) {
    if (got != wanted)
        std::printf("%s: 0x%016llxu, not 0x%016llxu\n", what, static_cast<unsigned long long>(got),
                    static_cast<unsigned long long>(wanted));
    return got == wanted;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    bool right = same("the model", numbers_of(gguf::reader(argv[1])), 0x73e65aa0eb7a418cu);
    write(argv[2]);
    const gguf::reader written(argv[2]);
    hasher bytes;
    bytes.add(written.parts().front().bytes());
    right &= same("the bytes of a file", bytes.value, 0xb695ac13a5353947u);
    right &= same("the numbers of a file", numbers_of(written), 0x5cca273f50e56895u);
    return right ? 0 : 1;
}
