// SPDX-License-Identifier: MIT
// Executors: pieces that are disjoint and cover the range, whatever threads do meanwhile.
#include "trilobit/core/executor.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <mutex>
#include <thread>
#include <vector>

#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;

namespace {

struct range {
    std::int64_t first, last, grain;
};

constexpr range ranges[] = {{0, 0, 1},    {5, 5, 1},  {5, 3, 1},   {0, 1, 1},       {0, 7, 1},
                            {3, 10, 2},   {0, 10, 3}, {0, 10, 10}, {0, 10, 11},     {-5, 5, 4},
                            {0, 1000, 7}, {0, 9, 0},  {0, 9, -3},  {100, 4196, 64}, {0, 50000, 1}};

/// How often each index was visited, and whether pieces were whole multiples of the grain.
template <class Executor>
void check_coverage(Executor& run, const range& r) {
    const auto length = static_cast<std::size_t>(std::max<std::int64_t>(r.last - r.first, 0));
    std::vector<std::atomic<int>> visits(length);
    std::atomic<int> bad_pieces{0};
    run(r.first, r.last, r.grain, [&](std::int64_t begin, std::int64_t end) {
        if (begin >= end || begin < r.first || end > r.last) {
            ++bad_pieces;
            return;
        }
        const std::int64_t grain = std::max<std::int64_t>(r.grain, 1);
        if (end != r.last && (end - begin) % grain != 0) ++bad_pieces;
        for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i - r.first)];
    });
    int wrong = 0;
    for (const auto& v : visits) wrong += v.load() != 1;
    CAPTURE(r.first, r.last, r.grain);
    CHECK(wrong == 0);
    CHECK(bad_pieces == 0);
}

static_assert(executor<serial> && executor<const serial> && executor<thread_pool>);
static_assert(executor<executor_ref> && executor<const executor_ref>);
static_assert(!executor<int>);

}  // namespace

TEST_CASE("serial covers the range in one piece", "[core]") {
    serial run;
    for (const range& r : ranges) check_coverage(run, r);
    int calls = 0;
    run(0, 10, 1, [&](std::int64_t, std::int64_t) { ++calls; });
    CHECK(calls == 1);
    CHECK(run.concurrency() == 1);
}

TEST_CASE("thread_pool covers the range for any number of threads", "[core]") {
    for (const int threads : {1, 2, 3, 8, 33}) {  // mostly more than there are processors
        thread_pool run(threads);
        CAPTURE(threads);
        CHECK(run.concurrency() == threads);
        for (const range& r : ranges) check_coverage(run, r);
    }
    CHECK(thread_pool(0).concurrency() == 1);
    CHECK(thread_pool(-4).concurrency() == 1);
}

TEST_CASE("a pool that never works, or just once, ends", "[core]") {
    for (int i = 0; i < 50; ++i) {
        thread_pool idle(3);
        if (i % 2 == 0) continue;
        std::atomic<int> sum{0};
        idle(0, 100, 1,
             [&](std::int64_t begin, std::int64_t end) { sum += static_cast<int>(end - begin); });
        CHECK(sum == 100);
    }
}

TEST_CASE("many short jobs, each complete when its call returns", "[core]") {
    thread_pool run(4);
    int short_of = 0;
    for (int job = 0; job < 20000; ++job) {
        // On the stack of this iteration: a worker that came late would write where it must not.
        std::atomic<int> sum{0};
        run(0, 8, 1, [&sum](std::int64_t begin, std::int64_t end) {
            sum.fetch_add(static_cast<int>(end - begin), std::memory_order_relaxed);
        });
        short_of += sum.load() != 8;
    }
    CHECK(short_of == 0);
}

TEST_CASE("jobs after a pause wake the sleepers", "[core]") {
    thread_pool run(2, GENERATE(true, false));
    for (int i = 0; i < 5; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
        std::atomic<int> together{0};
        std::atomic<bool> met{false};
        // Two pieces that wait for each other are done only if a second thread comes.
        run(0, 2, 1, [&](std::int64_t, std::int64_t) {
            ++together;
            while (together.load() < 2) std::this_thread::yield();
            met = true;
        });
        CHECK(met.load());
    }
}

TEST_CASE("a job inside a job runs, and is complete", "[core]") {
    thread_pool run(3);
    std::atomic<std::int64_t> sum{0};
    run(0, 20, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            std::int64_t inner = 0;  // run by this thread alone
            run(0, 100, 1, [&](std::int64_t b, std::int64_t e) { inner += e - b; });
            sum += inner;
        }
    });
    CHECK(sum == 2000);
}

TEST_CASE("two threads share one pool", "[core]") {
    thread_pool run(3);
    std::atomic<int> wrong{0};
    const auto user = [&] {
        for (int job = 0; job < 3000; ++job) {
            std::atomic<int> sum{0};
            run(0, 16, 1, [&](std::int64_t begin, std::int64_t end) {
                sum += static_cast<int>(end - begin);
            });
            wrong += sum.load() != 16;
        }
    };
    std::thread other(user);
    user();
    other.join();
    CHECK(wrong == 0);
}

TEST_CASE("a temporary and a const function are callable", "[core]") {
    thread_pool run(2);
    struct counter {
        std::atomic<int>* sum;
        void operator()(std::int64_t begin, std::int64_t end) const {
            *sum += static_cast<int>(end - begin);
        }
    };
    std::atomic<int> sum{0};
    run(0, 10, 1, counter{&sum});
    const counter constant{&sum};
    run(0, 10, 1, constant);
    CHECK(sum == 20);
}

TEST_CASE("an executor whose type is forgotten does the same", "[core]") {
    const serial alone;
    thread_pool three(3);
    executor_ref none, to_alone(alone), to_three(three), copy(to_three);
    for (const range& r : ranges)
        for (executor_ref* run : {&none, &to_alone, &to_three, &copy}) check_coverage(*run, r);
    CHECK(none.concurrency() == 1);
    CHECK(to_alone.concurrency() == 1);
    CHECK(copy.concurrency() == 3);
    copy = none;
    CHECK(copy.concurrency() == 1);
    const auto caller = std::this_thread::get_id();
    copy(0, 2, 1, [&](std::int64_t, std::int64_t) { CHECK(std::this_thread::get_id() == caller); });
}
