// SPDX-License-Identifier: MIT
// The bits of products: a hash for each layout, activation, grouping and shape, the same on every
// back end, for every number of tokens, and as they were at the commit that bits_table.txt names.
//   bits_table          prints the table of the back end that TRILOBIT_ARCH names, or of the best
//   bits_table FILE     compares it with FILE; ends with 4 where this processor lacks that back end
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include <trilobit/dispatch/cpu.hpp>
#include <trilobit/dispatch/dispatch.hpp>
#include <trilobit/pack/pack.hpp>

#include "made_floats.hpp"

namespace house {

using namespace trilobit;

namespace {

struct grouping {
    const char* name;
    scale_spec weights;
    int activations;  // columns, 0 for the whole token
};
const grouping groupings[] = {
    {"tensor", scale_spec::tensor(), 0},
    {"row", scale_spec::row(), 0},
    {"row/32", scale_spec::row(), 32},
    {"group32", scale_spec::group(32), 0},
    {"group128/64", scale_spec::group(128, scale_type::f32), 64},
    {"group64/256", scale_spec::group(64), 256},
};

/// Some rows, or some columns, are zeros alone where `zeros` says so. No group has one column: the
/// scale of one sign was another when the table was made.
struct extent {
    std::int64_t rows, cols;
    enum { none, rows_of_zeros, cols_of_zeros } zeros = none;
};
const extent extents[] = {
    {1, 1},
    {3, 5},
    {16, 64},
    {17, 67},
    {35, 170},
    {64, 256},
    {33, 999},
    {129, 323},
    {16, 2600},
    {96, 320, extent::rows_of_zeros},
    {40, 640, extent::cols_of_zeros},
};
/// The most tokens at once, and fewer. A token's outputs do not depend on how many there are.
constexpr std::int64_t most = 33, fewer[] = {1, 2, 3, 4, 5, 8, 12, 16, 17, 32};

/// What is multiplied: every call of the library's products is here.
struct product {
    const kernel_table& kernels;
    packed_view w;
    activation_id activation;
    int group;
    const std::vector<float>& x;

    [[nodiscard]] std::vector<float> of(std::int64_t tokens,
                                        kernel_id kernel = kernel_id::automatic) const {
        std::vector<float> y(static_cast<std::size_t>(tokens * w.rows));
        context c{
            .kernels = kernels,
            .options = {.activation = activation, .activation_group = group, .kernel = kernel}};
        const status s =
            matmul(c, w, {x.data(), tokens, w.cols}, matrix_view<float>(y.data(), tokens, w.rows));
        if (!s.ok()) y.clear();
        return y;
    }
    /// Of each kernel that can be named for it.
    template <class Visit>
    void each_kernel(Visit visit) const {
        for (const kernel_entry& e : kernels)
            if (e.layout == w.layout && e.activation == activation) visit(e.kernel);
    }
};

std::vector<float> weights_of(const extent& e, std::uint32_t seed) {
    std::vector<float> w = floats(e.rows * e.cols, seed, usual.low, usual.high);
    for (std::int64_t i = 0; i < e.rows * e.cols; ++i) {
        const std::int64_t row = i / e.cols, col = i % e.cols;
        if ((e.zeros == extent::rows_of_zeros && row % 3 != 1) ||
            (e.zeros == extent::cols_of_zeros && col / 10 % 4 != 1))
            w[static_cast<std::size_t>(i)] = 0;
    }
    return w;
}

/// Of four tokens one is as usual, one zero in most words of four columns, one all zeros, and one
/// of numbers so different that the order of sums shows.
std::vector<float> activations_of(std::int64_t cols) {
    std::vector<float> x = floats(most * cols, 77, usual.low, usual.high);
    const std::vector<float> uneven = floats(most * cols, 78, wide.low, wide.high);
    for (std::int64_t i = 0; i < most * cols; ++i) {
        const std::int64_t token = i / cols, word = i % cols / 4;
        float& v = x[static_cast<std::size_t>(i)];
        if (token % 4 == 1 && word * 7 % 11 != 0) v = 0;
        if (token % 4 == 2) v = 0;
        if (token % 4 == 3) v = uneven[static_cast<std::size_t>(i)];
    }
    return x;
}

/// The bits of most tokens by the kernel that the library chooses; zero, and a word of why, where
/// another kernel or another number of tokens gives others.
std::uint64_t bits_of(const std::string& name, const product& p) {
    const std::vector<float> all = p.of(most);
    hasher bits;
    bits.add(all);
    if (all.empty()) std::fprintf(stderr, "%s: no product\n", name.c_str()), bits.value = 0;
    const auto same = [&](const std::vector<float>& y, std::int64_t tokens, kernel_id kernel) {
        if (std::memcmp(y.data(), all.data(), y.size() * sizeof(float)) == 0) return;
        std::fprintf(stderr, "%s: %d tokens by kernel %d have bits of their own\n", name.c_str(),
                     static_cast<int>(tokens), static_cast<int>(kernel));
        bits.value = 0;
    };
    for (const std::int64_t tokens : fewer) same(p.of(tokens), tokens, kernel_id::automatic);
    // A kernel that refuses this grouping has no bits, which are equal to any.
    p.each_kernel([&](kernel_id k) {
        same(p.of(most, k), most, k);
        same(p.of(1, k), 1, k);
        same(p.of(7, k), 7, k);
    });
    return bits.value;
}

/// Calls back with each line.
template <class Visit>
void table_of(const kernel_table& kernels, Visit visit) {
    constexpr const char* activations[] = {"int8", "int4", "int2", "sign"};
    constexpr activation_id ids[] = {activation_id::int8, activation_id::int4, activation_id::int2,
                                     activation_id::sign};
    any_type(layouts{}, [&]<class Layout>() {
        for (const extent& e : extents) {
            const std::vector<float> x = activations_of(e.cols);
            const std::vector<float> w =
                weights_of(e, static_cast<std::uint32_t>(e.rows * 1000 + e.cols));
            for (const grouping& g : groupings) {
                pack_options options;
                options.scale = g.weights;
                const auto packed = pack<Layout>({w.data(), e.rows, e.cols}, options);
                for (int a = 0; a < 4; ++a) {
                    const std::string name = std::string(Layout::name) + ' ' + activations[a] +
                                             ' ' + g.name + ' ' + std::to_string(e.rows) + 'x' +
                                             std::to_string(e.cols) +
                                             (e.zeros == extent::rows_of_zeros   ? "-zero-rows"
                                              : e.zeros == extent::cols_of_zeros ? "-zero-cols"
                                                                                 : "");
                    visit(name, bits_of(name, {kernels, packed.view(), ids[a], g.activations, x}));
                }
            }
        }
        return false;
    });
}

std::string hex(std::uint64_t value) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
    return text;
}

int compare(const kernel_table& kernels, const char* path) {
    std::ifstream file(path);
    std::map<std::string, std::string> expected;
    for (std::string line; std::getline(file, line);)
        if (const auto at = line.rfind(' '); !line.starts_with('#') && at != std::string::npos)
            expected[line.substr(0, at)] = line.substr(at + 1);
    int wrong = 0, right = 0;
    table_of(kernels, [&](const std::string& name, std::uint64_t bits) {
        const std::string& wanted = expected[name];
        (wanted == hex(bits) ? right : wrong) += 1;
        if (wanted != hex(bits))
            std::printf("%s: %s, not %s\n", name.c_str(), hex(bits).c_str(),
                        wanted.empty() ? "in the table" : wanted.c_str());
    });
    if (right + wrong != static_cast<int>(expected.size()))
        std::printf("%s has %d lines that were not computed\n", path,
                    static_cast<int>(expected.size()) - right - wrong);
    std::printf("%.*s: %d equal, %d not\n", static_cast<int>(kernels.name.size()),
                kernels.name.data(), right, wrong);
    return wrong == 0 && right > 0 && right == static_cast<int>(expected.size()) ? 0 : 1;
}

bool lacked_by_this_processor(std::string_view arch) {
    const bool known = any_type(archs{}, [&]<class Arch>() { return Arch::name == arch; });
    return known && !dispatch::cpu::detect().has(arch);
}

}  // namespace
}  // namespace house

int main(int argc, char** argv) {
    using namespace house;
    const auto kernels = dispatch::active();
    if (!kernels.ok()) {
        std::puts(kernels.error().text);
        return lacked_by_this_processor(std::getenv("TRILOBIT_ARCH")) ? 4 : 1;
    }
    if (argc > 1) return compare(*kernels.value(), argv[1]);
    table_of(*kernels.value(), [](const std::string& name, std::uint64_t bits) {
        std::printf("%s %s\n", name.c_str(), hex(bits).c_str());
    });
}
