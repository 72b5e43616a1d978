// SPDX-License-Identifier: MIT
// What kernels make of a machine's facts: of a back end that gives nothing but those.
#include <catch2/catch_test_macros.hpp>

#include "pretend.hpp"

using namespace trilobit;

namespace {

/// The cheapest family, as choose_kernel() takes it; a table would compile all kernels.
template <class Arch, class Layout, class Act, class... Families>
kernel_id cheapest(std::int64_t tokens, type_list<Families...>) {
    const packed_shape w{Layout::id, tile_shape::of<Layout>(), 2560, 2560, scale_spec::row()};
    kernel_id best = kernel_id::automatic;
    double least = 1e9;
    const auto look = [&]<class Family>() {
        using kernel = typename Family::template kernel<Arch, Layout, Act>;
        if constexpr (kernel::available)
            if (const double cost = kernel::cost(w, tokens); cost < least) {
                least = cost;
                best = kernel::id;
            }
    };
    (look.template operator()<Families>(), ...);
    return best;
}

template <class Arch, class Layout, class Act = activation::int8>
kernel_id choice(std::int64_t tokens) {
    return cheapest<Arch, Layout, Act>(tokens, kernel::families{});
}

template <class Arch, class Layout>
using tiles = kernel::dot_shape<Arch, kernel::dot_fields<Layout>>;
using codes = kernel::panel_codes<2>;

}  // namespace

TEST_CASE("every machine with registers fills register tiles of several tokens", "[kernel]") {
    STATIC_CHECK(tiles<pretend::neon, layout::ternary_2bit>::most_tokens == 8);
    STATIC_CHECK(tiles<pretend::neon, layout::ternary_2bit>::rows(8) == 2);
    STATIC_CHECK(tiles<pretend::neon, codes>::most_tokens * tiles<pretend::neon, codes>::rows(1) ==
                 24);
    STATIC_CHECK(tiles<pretend::wasm, layout::ternary_2bit>::most_tokens == 4);
    STATIC_CHECK(tiles<pretend::wasm, codes>::most_tokens == 4);
    STATIC_CHECK(tiles<pretend::plain, layout::ternary_2bit>::most_tokens == 2);
    STATIC_CHECK(tiles<pretend::plain, codes>::most_tokens == 6);
    STATIC_CHECK(tiles<arch::generic, codes>::most_tokens == 1);  // no registers to fill
}

TEST_CASE("fields of a byte stay below the largest unsigned operand", "[kernel]") {
    // 3 << 6 is 192, and 1 << 7 is 128: half of the fields are shifted where 127 is the most.
    STATIC_CHECK(tiles<pretend::neon, layout::ternary_2bit>::most_stages == 2);
    STATIC_CHECK(tiles<pretend::neon, layout::binary_1bit>::most_stages == 4);
    STATIC_CHECK(tiles<pretend::plain, layout::ternary_2bit>::most_stages == 4);
}

TEST_CASE("lookups follow the tables that an instruction has", "[kernel]") {
    using namespace kernel;
    using act = activation::int8;
    STATIC_CHECK(lookup<pretend::neon, layout::ternary_base3, act>::available);
    STATIC_CHECK(lookup_shape<pretend::neon, layout::ternary_base3, 2>::table_bytes == 256);
    STATIC_CHECK(lookup<pretend::neon, layout::binary_1bit, act>::available);
    STATIC_CHECK(lookup<pretend::wasm, layout::ternary_base3, act>::available);
    STATIC_CHECK(lookup_shape<pretend::wasm, layout::ternary_base3, 2>::table_bytes == 128);
    STATIC_CHECK(lookup<pretend::wasm, layout::binary_1bit, act>::available);
    STATIC_CHECK_FALSE(lookup<pretend::plain, layout::ternary_base3, act>::available);
    STATIC_CHECK(lookup<pretend::neon, layout::ternary_3of4, act>::available);
    STATIC_CHECK(lookup_shape<pretend::neon, layout::ternary_3of4, 2>::table_bytes == 512);
    STATIC_CHECK(lookup_shape<pretend::wasm, layout::ternary_3of4, 2>::table_bytes == 256);
    STATIC_CHECK_FALSE(lookup<pretend::plain, layout::ternary_3of4, act>::available);
    STATIC_CHECK(vector_lookup_any<pretend::plain, layout::ternary_2bit>::available);
    STATIC_CHECK(vector_lookup_any<pretend::wasm, layout::ternary_base3>::available);
    STATIC_CHECK_FALSE(vector_lookup_any<pretend::neon, layout::ternary_2bit>::available);
    STATIC_CHECK_FALSE(vector_lookup_any<pretend::plain, layout::quaternary_2bit>::available);
}

TEST_CASE("the choice among kernels is a sensible one on machines that nobody measured",
          "[kernel]") {
    using enum kernel_id;
    CHECK(choice<pretend::neon, layout::ternary_2bit>(1) == dot);
    CHECK(choice<pretend::neon, layout::ternary_2bit>(128) == dot);
    CHECK(choice<pretend::neon, layout::quaternary_2bit>(1) == dot);
    CHECK(choice<pretend::neon, layout::quaternary_2bit_odd>(128) == dot);
    CHECK(choice<pretend::wasm, layout::quaternary_2bit_low>(8) == dot);
    CHECK(choice<pretend::plain, layout::quaternary_2bit>(128) == dot);
    CHECK(choice<pretend::neon, layout::ternary_base3>(1) == lookup);
    CHECK(choice<pretend::neon, layout::ternary_base3>(128) == dot);
    CHECK(choice<pretend::neon, layout::ternary_3of4>(1) == lookup);
    CHECK(choice<pretend::neon, layout::ternary_3of4>(128) == dot);
    CHECK(choice<pretend::neon, layout::binary_1bit>(1) == lookup);
    CHECK(choice<pretend::neon, layout::ternary_planes, activation::sign>(8) == popcount);
    CHECK(choice<pretend::wasm, layout::ternary_base3>(1) == lookup);
    CHECK(choice<pretend::wasm, layout::ternary_3of4>(1) == lookup);
    CHECK(choice<pretend::plain, layout::ternary_3of4>(1) == dot);
    CHECK(choice<pretend::wasm, layout::binary_1bit>(1) == lookup);
    CHECK(choice<pretend::wasm, layout::ternary_2bit>(128) != generic);
    CHECK(choice<pretend::plain, layout::ternary_base3>(128) == vector_lookup);
    CHECK(choice<pretend::plain, layout::ternary_2bit>(128) == vector_lookup);
    CHECK(choice<pretend::plain, layout::ternary_2bit>(1) == dot);
}
