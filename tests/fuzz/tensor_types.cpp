// SPDX-License-Identifier: MIT
// Fuzzing of room formats. Enters: any bytes; the first choose a format and a shape, the rest is
// the tensor. Leaves: nothing, or an abort: a byte read beyond the tensor, a value that is none of
// the format's, or values that are not read again as they were.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "formats/all.hpp"
#include "formats/all_dense.hpp"
#include "formats/rows.hpp"

namespace {

using namespace tbx;
using formats::fault;

/// Takes bytes off the front; zeros when there are none left.
class input {
    std::span<const std::uint8_t> left;

public:
    explicit input(std::span<const std::uint8_t> all) : left(all) {}
    unsigned byte() {
        if (left.empty()) return 0;
        const unsigned first = left[0];
        left = left.subspan(1);
        return first;
    }
    /// A heap block of exactly this size, so that AddressSanitizer sees the first byte too many.
    std::unique_ptr<std::byte[]> block(std::size_t size) {
        std::unique_ptr<std::byte[]> out(new std::byte[size]());
        if (const std::size_t count = std::min(size, left.size()); count > 0)
            std::memcpy(out.get(), left.data(), count);
        return out;
    }
};

void require(bool good) {
    if (!good) std::abort();
}

bool held(formats::kind of, std::span<const std::int8_t> values) {
    bool allowed[256];
    for (int v = -128; v < 128; ++v) allowed[v + 128] = formats::holds(of, v);
    return std::all_of(values.begin(), values.end(), [&](int v) { return allowed[v + 128]; });
}

formats::shape shape_of(input& in) {
    constexpr std::int64_t widths[] = {1, 16, 24, 32, 64, 96, 128, 256};
    const unsigned rows = in.byte(), cols = in.byte(), unit = in.byte();
    formats::shape s{1 + rows % 8, static_cast<std::int64_t>(1 + cols % 3) * widths[unit % 8]};
    if (unit & 8) s.rows = (1 + rows % 2) * 32;
    if (unit & 16) s.group = 1 << (4 + unit % 4);
    if (unit & 32) {
        const unsigned tile = in.byte();
        s.tile = {static_cast<int>(32 << (tile & 3)), static_cast<int>(32 + 32 * (tile >> 2 & 7)),
                  tile & 32 ? 64 : 32};
    }
    return s;
}

void try_levels(const formats::format& of, input& in) {
    const formats::shape s = shape_of(in);
    const auto bytes = of.bytes(s);
    if (!bytes) return;
    const auto size = static_cast<std::size_t>(*bytes);
    const auto tensor = in.block(size);
    const std::span<const std::byte> all(tensor.get(), size);
    const formats::matrix_rows rows(of, all, s);
    (void)formats::summarise(rows, 0, s.rows);

    // Blocks of exactly a row's size, for the sanitizer.
    const auto cols = static_cast<std::size_t>(s.cols);
    const auto each = static_cast<std::size_t>(of.scales_per_row(s.cols));
    const std::unique_ptr<std::int8_t[]> row(new std::int8_t[cols]);
    const std::unique_ptr<float[]> row_scales(new float[each]);
    std::vector<std::int8_t> values;
    std::vector<float> scales;
    bool sound = true;
    for (std::int64_t r = 0; r < s.rows; ++r) {
        const fault found = rows.read(r, row.get(), row_scales.get());
        sound &= found == fault::none;
        values.insert(values.end(), row.get(), row.get() + cols);
        scales.insert(scales.end(), row_scales.get(), row_scales.get() + each);
        if (found == fault::none) require(held(of.values, {row.get(), cols}));
    }
    if (!sound) return;
    // What a format reads it writes, and reads again.
    const std::unique_ptr<std::byte[]> again(new std::byte[size]());
    for (std::int64_t r = 0; r < s.rows; ++r)
        require(of.write({again.get(), size}, s, r, values.data() + r * s.cols,
                         scales.data() + r * static_cast<std::int64_t>(each)) == fault::none);
    for (std::int64_t r = 0; r < s.rows; ++r) {
        require(of.read({again.get(), size}, s, r, row.get(), row_scales.get()) == fault::none);
        require(std::equal(row.get(), row.get() + cols, values.begin() + r * s.cols));
        require(std::equal(row_scales.get(), row_scales.get() + each,
                           scales.begin() + r * static_cast<std::int64_t>(each)));
    }
}

void try_numbers(const formats::dense_format& of, input& in) {
    const auto tensor = in.block(static_cast<std::size_t>(of.bytes));
    const std::unique_ptr<float[]> values(new float[static_cast<std::size_t>(of.cols)]);
    of.decode(tensor.get(), values.get());
    if (of.encode == nullptr) return;
    const std::unique_ptr<std::byte[]> again(new std::byte[static_cast<std::size_t>(of.bytes)]);
    (void)of.encode(values.get(), again.get());
}

void try_zero_points(input& in) {
    const int bits = in.byte() % 2 == 0 ? 2 : 1;
    const auto numbers = in.block(32);
    float scales[4], biases[4];
    std::memcpy(scales, numbers.get(), 16);
    std::memcpy(biases, numbers.get() + 16, 16);
    (void)formats::mlx_kind(scales, biases, bits);
    (void)formats::kind_of_zero_point(biases[0]);
    (void)formats::hf_scale(biases[1], bits == 1);
    const auto rows = static_cast<std::int64_t>(in.byte() % 8),
               blocks = static_cast<std::int64_t>(in.byte() % 8);
    (void)formats::packed_zero_point({numbers.get(), 32}, rows, blocks);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    input in({data, size});
    constexpr std::size_t levels = std::size(formats::all_formats),
                          numbers = std::size(formats::dense_formats);
    const std::size_t which = in.byte() % (levels + numbers + 1);
    if (which < levels)
        try_levels(*formats::all_formats[which], in);
    else if (which < levels + numbers)
        try_numbers(*formats::dense_formats[which - levels], in);
    else
        try_zero_points(in);
    return 0;
}
