// SPDX-License-Identifier: MIT
// The same bits and the same refusals, whatever the compiler, its flags and the machine: built with
// -ffast-math and -Ofast, and by scripts/test for processors of other kinds and orders of bytes.
//   bits              compares with what is written below
//   bits write FILE   also saves a packed matrix
//   bits read FILE    also multiplies by one that another machine saved, and saves the same bytes
#include <string>
#include <string_view>

#include "bits.hpp"

#if !defined(TRILOBIT_BITS_LAYOUTS)
#define TRILOBIT_BITS_LAYOUTS trilobit::layout::ternary_2bit
#endif

namespace house {
namespace {

int wrong = 0;

void compare(std::string_view what, std::uint64_t got, std::uint64_t wanted) {
    if (got == wanted) return;
    ++wrong;
    std::printf("%.*s: 0x%016llxu, not 0x%016llxu\n", static_cast<int>(what.size()), what.data(),
                static_cast<unsigned long long>(got), static_cast<unsigned long long>(wanted));
}

/// Images and products of one layout.
struct hashes {
    std::string_view layout;
    std::uint64_t images, products;
};
constexpr hashes expected[] = {
    {"ternary_2bit", 0xd91f1f1d90131033u, 0x7e7f867f8f57bc0cu},
    {"ternary_base3", 0xfcf221cd9997b68du, 0x7e7f867f8f57bc0cu},
    {"ternary_planes", 0x5c8e2d4b93bebed0u, 0x7e7f867f8f57bc0cu},
    {"binary_1bit", 0x6eb56a66eb444de9u, 0x16051f64069d4fe0u},
    {"quaternary_2bit", 0x6de5ae100be2481eu, 0x1f49c46eeabdc4ecu},
    {"quaternary_2bit_low", 0x325b8e308a770a0au, 0x611ecdf0809f6f17u},
    {"quaternary_2bit_odd", 0x1c0a2c1936d3fccau, 0x54cf1d1f98115063u},
    {"ternary_3of4", 0xca01ce2a842afc74u, 0xafa19c811071960eu},
};

template <class Layout>
void check() {
    hasher images, results;
    std::uint32_t seed = 1;
    for (const range& weights : {usual, wide, tiny, huge})
        for (const scale_spec& scale :
             {scale_spec::row(), scale_spec::tensor(), scale_spec::group(128, scale_type::f32)}) {
            const auto w = packed<Layout>(35, 170, weights, scale, seed);
            if (!w.status().ok()) {
                std::printf("pack: %s\n", w.status().text);
                ++wrong;
                continue;
            }
            images.add(w.bytes());
            // No product is infinite: what infinities of both signs sum to has other bits
            // elsewhere.
            const bool large = weights.low == huge.low, small = weights.low == tiny.low;
            results.add(products(w, large ? tiny : usual, 1));
            results.add(products(w, large ? tiny : small ? huge : wide, 3));
            if (seed++ == 1) results.add(products(w, wide, 17));
        }
    for (const hashes& e : expected)
        if (e.layout == Layout::name) {
            compare(std::string(e.layout) + ", images", images.value, e.images);
            compare(std::string(e.layout) + ", products", results.value, e.products);
        }
}

int exchange(std::string_view verb, const char* path) {
    using layout = layout::ternary_2bit;
    // With rows of zeros, and half floats.
    const std::int64_t rows = 200, cols = 640;
    std::vector<float> w = floats(rows * cols, 9, usual.low, usual.high);
    for (std::int64_t r = 3; r < rows; r += 7)
        for (std::int64_t c = 0; c < cols; ++c) w[static_cast<std::size_t>(r * cols + c)] = 0;
    pack_options options;
    options.scale = scale_spec::group(64);
    const auto own = pack<layout>({w.data(), rows, cols}, options);
    if (verb == "write") return save(own, path).ok() ? 0 : (std::puts("not written"), 1);

    std::FILE* file = std::fopen(path, "rb");
    if (file == nullptr) return std::puts("no file"), 1;
    const std::size_t size = own.bytes().size();
    aligned_buffer image(size);
    const bool all = std::fread(image.data(), 1, size, file) == size && std::fgetc(file) == EOF;
    std::fclose(file);
    if (!all) return std::puts("not read"), 1;
    const packed_matrix<layout> read(std::move(image));
    if (!read.status().ok()) return std::puts(read.status().text), 1;
    if (std::memcmp(read.bytes().data(), own.bytes().data(), size) != 0)
        return std::puts("other bytes"), 1;
    return products(read, usual, 3) == products(own, usual, 3) ? 0 : (std::puts("other bits"), 1);
}

}  // namespace
}  // namespace house

int main(int argc, char** argv) {
    using namespace house;
    any_type(type_list<TRILOBIT_BITS_LAYOUTS>{}, []<class Layout>() {
        check<Layout>();
        wrong += accepted<Layout>();
        return false;
    });
    compare("half floats", halves(), 0x25066faa98701d4bu);
    compare("means", means(), 0x50cfcf8c5c8a7742u);
    if (argc == 3) wrong += exchange(argv[1], argv[2]);
    return wrong != 0;
}
