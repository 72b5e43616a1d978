// SPDX-License-Identifier: MIT
// Owned bytes: alignment, ownership, and failure without an exception.
#include "trilobit/core/aligned_buffer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <limits>
#include <vector>

using namespace trilobit;

TEST_CASE("bytes start on a cache line, large ones on a huge page", "[core]") {
    for (const std::size_t size : {std::size_t{1}, std::size_t{63}, std::size_t{64},
                                   std::size_t{4097}, aligned_buffer::huge_page - 1,
                                   aligned_buffer::huge_page, aligned_buffer::huge_page * 3 + 1}) {
        aligned_buffer b(size);
        REQUIRE(b.data() != nullptr);
        CHECK(b.size() == size);
        const auto at = reinterpret_cast<std::uintptr_t>(b.data());
        CHECK(at % aligned_buffer::cache_line == 0);
        if (size >= aligned_buffer::huge_page) CHECK(at % aligned_buffer::huge_page == 0);
        std::memset(b.data(), 0x5a, size);  // all of it is ours: ASan watches
    }
}

TEST_CASE("an empty buffer owns nothing", "[core]") {
    CHECK(aligned_buffer().data() == nullptr);
    CHECK(aligned_buffer(0).data() == nullptr);
    CHECK(aligned_buffer(0).size() == 0);
}

TEST_CASE("moving hands the bytes over", "[core]") {
    aligned_buffer a(100);
    const std::byte* bytes = a.data();
    aligned_buffer b(std::move(a));
    CHECK(b.data() == bytes);
    CHECK(a.data() == nullptr);
    CHECK(a.size() == 0);
    aligned_buffer c(aligned_buffer::huge_page);
    c = std::move(b);
    CHECK(c.data() == bytes);
    CHECK(c.size() == 100);
    CHECK(b.data() == nullptr);
}

TEST_CASE("an arena lends bytes that do not overlap and stay where they are", "[core]") {
    page_arena arena;
    std::vector<aligned_buffer> lent;
    const std::size_t sizes[] = {1,  64, 65, 5000, std::size_t{3} << 20, page_arena::block_size,
                                 100};
    for (std::size_t i = 0; i < 40; ++i) {
        lent.emplace_back(sizes[i % std::size(sizes)], arena);
        aligned_buffer& b = lent.back();
        REQUIRE(b.data() != nullptr);
        CHECK(b.size() == sizes[i % std::size(sizes)]);
        CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % aligned_buffer::cache_line == 0);
        b.data()[0] = b.data()[b.size() - 1] = std::byte(i);
    }
    page_arena owner(std::move(arena));
    bool kept = true;
    for (std::size_t i = 0; i < lent.size(); ++i)
        kept = kept && lent[i].data()[0] == std::byte(i) &&
               lent[i].data()[lent[i].size() - 1] == std::byte(i);
    CHECK(kept);
    CHECK(aligned_buffer(0, owner).data() == nullptr);
    owner = page_arena();  // frees what was lent; nobody reads it any more
    CHECK(owner.take(64) != nullptr);
    CHECK(owner.take(std::numeric_limits<std::size_t>::max()) == nullptr);
}

#if !defined(__SANITIZE_ADDRESS__)
TEST_CASE("memory that is not there is an empty buffer", "[core]") {
    const aligned_buffer b(std::numeric_limits<std::size_t>::max() / 4);
    CHECK(b.data() == nullptr);
    CHECK(b.size() == 0);
}
#endif
