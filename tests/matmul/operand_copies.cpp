// SPDX-License-Identifier: MIT
// A copy of the operand for each thread: made once by each, and found again by it.
#include "trilobit/matmul/operand_copies.hpp"

#include <catch2/catch_all.hpp>
#include <set>
#include <thread>
#include <vector>

using namespace trilobit;

TEST_CASE("each thread makes its copy once; threads too many read another's", "[matmul]") {
    const std::int64_t count = GENERATE(1, 2, 5);
    constexpr std::int64_t size = 100;  // no multiple of a cache line
    constexpr int threads = 8, calls = 50;
    detail::operand_copies copies;
    for (int again = 0; again < 3; ++again) {  // the memory of one product serves the next
        REQUIRE(copies.renew(count, size + 40 * again));
        std::atomic<int> made{0}, wrong{0};
        std::vector<std::byte*> found(threads);
        {
            std::vector<std::jthread> all;
            for (std::size_t t = 0; t < threads; ++t)
                all.emplace_back([&, t] {
                    for (int i = 0; i < calls; ++i) {
                        std::byte* mine = copies.mine([&](std::byte* to) {
                            ++made;
                            std::fill_n(to, size, std::byte{42});
                        });
                        for (std::int64_t b = 0; b < size; ++b) wrong += mine[b] != std::byte{42};
                        found[t] = mine;
                    }
                });
        }
        CHECK(wrong == 0);
        CHECK(made >= 1);
        CHECK(made <= count);
        for (std::byte* at : found) {
            CHECK(reinterpret_cast<std::uintptr_t>(at) % 64 == 0);
        }
        CHECK(std::set<std::byte*>(found.begin(), found.end()).size() <=
              static_cast<std::size_t>(made));
    }
}

TEST_CASE("one thread makes one copy of many, and finds it again", "[matmul]") {
    detail::operand_copies copies;
    REQUIRE(copies.renew(4, 64));
    int made = 0;
    const auto count = [&](std::byte*) { ++made; };
    std::byte* first = copies.mine(count);
    CHECK(copies.mine(count) == first);
    CHECK(made == 1);
    std::byte* other = nullptr;
    std::jthread([&] { other = copies.mine(count); }).join();
    CHECK(other != first);
    CHECK(made == 2);
    REQUIRE(copies.renew(4, 64));
    CHECK(copies.mine(count) == first);
    CHECK(made == 3);
}
