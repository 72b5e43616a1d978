// SPDX-License-Identifier: MIT
// Room fashion. Enters: a network or a path. Leaves: the other of the two.
//
//   "TBXFMN01"  layers: u32  sizes: u32 (layers + 1)
//   each layer: bits (outputs, inputs / 8 rounded up), the lowest first, 1 for +1
//               mean, slope, offset: f32 (outputs)
// Numbers have their least significant byte first.
#include <bit>
#include <cmath>
#include <fstream>
#include <string_view>

#include "fashion/network.hpp"
#include "support/atomic_file.hpp"
#include "support/error.hpp"
#include "support/lines.hpp"

namespace tbx::fashion {
namespace {

constexpr std::string_view magic = "TBXFMN01";
constexpr std::uint32_t most_layers = 16, most_neurons = 65536;

void put(std::string& to, std::uint32_t v) {
    for (int i = 0; i < 4; ++i) to += static_cast<char>(v >> 8 * i & 0xffu);
}

class byte_reader {
    const std::string& path;
    std::string_view rest;

public:
    byte_reader(const std::string& p, std::string_view bytes) : path(p), rest(bytes) {}
    [[noreturn]] void fail(const std::string& what) const { throw error(path, what); }
    [[nodiscard]] std::string_view take(std::size_t n) {
        if (rest.size() < n) fail("is damaged: it ends too early");
        const auto taken = rest.substr(0, n);
        rest.remove_prefix(n);
        return taken;
    }
    [[nodiscard]] std::uint32_t number() {
        std::uint32_t v = 0;
        const auto bytes = take(4);
        for (std::size_t i = 0; i < 4; ++i)
            v |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
        return v;
    }
    void expect_end() const {
        if (!rest.empty()) fail("is damaged: it goes on too long");
    }
};

std::size_t row_bytes(const layer& l) { return (static_cast<std::size_t>(l.inputs) + 7) / 8; }

}  // namespace

void save_network(const std::string& path, const network& n) {
    std::string all(magic);
    put(all, static_cast<std::uint32_t>(n.layers.size()));
    put(all, static_cast<std::uint32_t>(n.layers.front().inputs));
    for (const layer& l : n.layers) put(all, static_cast<std::uint32_t>(l.outputs));
    for (const layer& l : n.layers) {
        for (int o = 0; o < l.outputs; ++o) {
            const std::int8_t* row = l.signs.data() + static_cast<std::ptrdiff_t>(o) * l.inputs;
            std::string bits(row_bytes(l), '\0');
            for (int i = 0; i < l.inputs; ++i)
                if (row[i] > 0)
                    bits[static_cast<std::size_t>(i / 8)] = static_cast<char>(
                        static_cast<unsigned char>(bits[static_cast<std::size_t>(i / 8)]) |
                        1u << i % 8);
            all += bits;
        }
        for (const auto* v : {&l.mean, &l.slope, &l.offset})
            for (const float x : *v) put(all, std::bit_cast<std::uint32_t>(x));
    }
    support::atomic_file out(path);
    out.write(all);
    out.commit();
}

network load_network(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw error(path, "cannot be opened");
    const std::string all = support::read_all(in, path);
    byte_reader from(path, all);
    if (all.size() < magic.size() || from.take(magic.size()) != magic)
        throw error(path, "is no network of this program");
    const std::uint32_t count = from.number();
    if (count < 1 || count > most_layers)
        from.fail("is damaged: it says that it has " + std::to_string(count) + " layers");
    std::vector<int> sizes;
    for (std::uint32_t i = 0; i <= count; ++i) {
        const std::uint32_t size = from.number();
        if (size < 1 || size > most_neurons)
            from.fail("is damaged: a layer of " + std::to_string(size) + " neurons");
        sizes.push_back(static_cast<int>(size));
    }
    if (sizes.back() != classes) from.fail("does not tell 10 classes apart");
    network n;
    for (std::size_t k = 0; k < count; ++k) {
        layer l;
        l.inputs = sizes[k];
        l.outputs = sizes[k + 1];
        // Before anything of that size is asked for.
        const auto bits = from.take(row_bytes(l) * static_cast<std::size_t>(l.outputs));
        l.resize(l.inputs, l.outputs);
        for (int o = 0; o < l.outputs; ++o) {
            const auto row = bits.substr(row_bytes(l) * static_cast<std::size_t>(o), row_bytes(l));
            std::int8_t* to = l.signs.data() + static_cast<std::ptrdiff_t>(o) * l.inputs;
            for (int i = 0; i < l.inputs; ++i)
                to[i] = (row[static_cast<std::size_t>(i / 8)] >> i % 8 & 1) != 0 ? 1 : -1;
        }
        for (auto* v : {&l.mean, &l.slope, &l.offset})
            for (float& x : *v) {
                x = std::bit_cast<float>(from.number());
                if (!std::isfinite(x)) from.fail("is damaged: it has a number that is none");
            }
        n.layers.push_back(std::move(l));
    }
    from.expect_end();
    return n;
}

}  // namespace tbx::fashion
