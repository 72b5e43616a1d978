// SPDX-License-Identifier: MIT
// A copy of the operand for each thread: never for two at once, and found again by its thread with
// what that has made of it.
#include <catch2/generators/catch_generators.hpp>

#include "trilobit/matmul/operand_copies.hpp"

#include <set>
#include <thread>

#include "product.hpp"
#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;

TEST_CASE("no two threads have a copy at once, however many there are", "[matmul]") {
    const std::int64_t count = GENERATE(1, 2, 5);
    constexpr std::int64_t size = 100;  // no multiple of a cache line
    constexpr int threads = 8, calls = 50;
    detail::operand_copies copies;
    for (int again = 0; again < 3; ++again) {  // the memory of one product serves the next
        REQUIRE(copies.renew(count, size + 40 * again));
        std::atomic<int> made{0}, wrong{0};
        std::vector<std::set<std::byte*>> found(threads);
        {
            std::vector<std::jthread> all;
            for (std::size_t t = 0; t < threads; ++t)
                all.emplace_back([&, t] {
                    const auto mine = static_cast<std::byte>(t);
                    for (int i = 0; i < calls; ++i)
                        copies.with([&](detail::operand_copy& c) {
                            if (c.made == 0) ++made;
                            c.made = size;
                            std::fill_n(c.memory.data(), size, mine);
                            std::this_thread::yield();
                            for (std::int64_t b = 0; b < size; ++b)
                                wrong += c.memory.data()[b] != mine;
                            found[t].insert(c.memory.data());
                        });
                });
        }
        CHECK(wrong == 0);
        CHECK(made >= 1);
        CHECK(made <= count);
        std::set<std::byte*> all;
        for (const auto& of_thread : found) all.insert(of_thread.begin(), of_thread.end());
        CHECK(all.size() == static_cast<std::size_t>(made));
        for (std::byte* at : all) CHECK(reinterpret_cast<std::uintptr_t>(at) % 64 == 0);
    }
}

TEST_CASE("a thread finds its copy again, and another thread has one of its own", "[matmul]") {
    detail::operand_copies copies;
    REQUIRE(copies.renew(4, 64));
    const auto taken = [&] {
        std::pair<std::byte*, std::int64_t> at;
        copies.with([&](detail::operand_copy& c) {
            at = {c.memory.data(), c.made};
            c.made = 7;
        });
        return at;
    };
    const auto first = taken();
    CHECK(first.second == 0);
    CHECK(taken() == std::pair{first.first, std::int64_t{7}});
    std::pair<std::byte*, std::int64_t> other;
    std::jthread([&] { other = taken(); }).join();
    CHECK(other.first != first.first);
    CHECK(other.second == 0);
    REQUIRE(copies.renew(4, 64));
    CHECK(taken() == first);
}

// 400 tiles to a row are some strips of fresh tables, 1100 rows some pieces of each thread's share.
TEST_CASE("operands made as rows pass give the sums of the generic kernel", "[matmul]") {
    const auto scale = GENERATE(scale_spec::row(), scale_spec::group(128));
    const auto kind = GENERATE(activation_id::int8, activation_id::int4);
    const std::int64_t tokens = GENERATE(1, 2, 3, 5, 7, 8, 9);
    CAPTURE(activation_name(kind), tokens, scale.group_cols);
    serial alone;
    thread_pool three(3);
    // One for all: what an earlier product made must not be taken for this one's.
    workspace scratch;
    for (const std::int64_t cols : {2000, 1997}) {
        matmul_test::product p(1100, cols, tokens, layout_id::ternary_base3, scale);
        REQUIRE(p.run({kind, 0, kernel_id::generic}).ok());
        const std::vector<float> expected = p.y;
        for (const kernel_entry& e : matmul_test::active_table()) {
            if (e.layout != layout_id::ternary_base3 || e.activation != kind) continue;
            if (!e.accepts(p.w.view(), {kind, tokens, cols, 0})) continue;
            CAPTURE(kernel_name(e.kernel), cols);
            const auto run = [&](auto& threads) {
                std::fill(p.y.begin(), p.y.end(), -77.0f);
                REQUIRE(matmul(matmul_test::active_table(), p.w, p.in(), p.out(), scratch, threads,
                               {kind, 0, e.kernel})
                            .ok());
                CHECK(p.y == expected);
            };
            run(alone);
            for (int i = 0; i < 3; ++i) run(three);
        }
    }
}
