// SPDX-License-Identifier: MIT
// With a context that has served the same shapes nothing is allocated, on any thread. A program
// of its own, since it replaces the allocation functions of all of it.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <new>

#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"

#if defined(__linux__) && !defined(TRILOBIT_SANITIZED)
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {
std::atomic<int> allocations{0};

constexpr std::align_val_t usual{alignof(std::max_align_t)};

void* counted(std::size_t size, std::align_val_t to) noexcept {
    ++allocations;
    // A size that is a multiple of the alignment, as aligned_alloc wants it.
    const auto alignment = static_cast<std::size_t>(to);
#if defined(_WIN32)
    return ::_aligned_malloc(size + (size == 0), alignment);
#else
    return std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
#endif
}
void returned(void* at) noexcept {
#if defined(_WIN32)
    ::_aligned_free(at);
#else
    std::free(at);
#endif
}
void* required(std::size_t size, std::align_val_t to) {
    void* at = counted(size, to);
    if (at == nullptr) throw std::bad_alloc();
    return at;
}
}  // namespace

// All of them: a sanitizer's own do not call each other. Inlined, GCC sees free() for what an
// operator new made.
#define TRILOBIT_COUNT(make, drop)                                                              \
    void* operator make(std::size_t n) { return required(n, usual); }                           \
    void* operator make(std::size_t n, std::align_val_t to) { return required(n, to); }         \
    void* operator make(std::size_t n, const std::nothrow_t&) noexcept {                        \
        return counted(n, usual);                                                               \
    }                                                                                           \
    void* operator make(std::size_t n, std::align_val_t to, const std::nothrow_t&) noexcept {   \
        return counted(n, to);                                                                  \
    }                                                                                           \
    TRILOBIT_NOINLINE void operator drop(void* at) noexcept { returned(at); }                   \
    TRILOBIT_NOINLINE void operator drop(void* at, std::size_t) noexcept { returned(at); }      \
    TRILOBIT_NOINLINE void operator drop(void* at, std::align_val_t) noexcept { returned(at); } \
    TRILOBIT_NOINLINE void operator drop(void* at, std::size_t, std::align_val_t) noexcept {    \
        returned(at);                                                                           \
    }                                                                                           \
    TRILOBIT_NOINLINE void operator drop(void* at, const std::nothrow_t&) noexcept {            \
        returned(at);                                                                           \
    }                                                                                           \
    TRILOBIT_NOINLINE void operator drop(void* at, std::align_val_t,                            \
                                         const std::nothrow_t&) noexcept {                      \
        returned(at);                                                                           \
    }
TRILOBIT_COUNT(new, delete)
TRILOBIT_COUNT(new[], delete[])
#undef TRILOBIT_COUNT

#if defined(__linux__) && !defined(TRILOBIT_SANITIZED)
extern "C" void* mmap(void* at, std::size_t size, int protection, int flags, int file,
                      off_t offset) noexcept {
    ++allocations;
    return reinterpret_cast<void*>(::syscall(SYS_mmap, at, size, protection, flags, file, offset));
}
#endif

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::sample;

namespace {

template <class F>
int allocations_of(F&& f) {
    const int before = allocations;
    f();
    return allocations - before;
}

}  // namespace

TEST_CASE("allocations are counted", "[matmul]") {
    CHECK(allocations_of([] { workspace().reserve(1000) == nullptr ? std::abort() : void(); }) ==
          1);
    CHECK(allocations_of([] { std::vector<char> some(10); }) == 1);
#if defined(__linux__) && !defined(TRILOBIT_SANITIZED)
    CHECK(allocations_of([] {
              void* at = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              ::munmap(at, 4096);
          }) == 1);
#endif
}

TEST_CASE("a second product of the same shapes allocates nothing", "[matmul]") {
    thread_pool three(3);
    for (const layout_id layout : matmul_test::every_layout)
        for (const scale_spec& scale : {scale_spec::row(), scale_spec::group(128)})
            for (const std::int64_t tokens : {1, 5, 40})
                for (const kernel_entry& e : active_table()) {
                    if (e.layout != layout || e.activation != activation_id::int8) continue;
                    CAPTURE(layout_name(layout), kernel_name(e.kernel), tokens, scale.group_cols);
                    sample p(500, 700, tokens, layout, scale);
                    const auto count = [&](context& c) {
                        return allocations_of(
                            [&] { REQUIRE(matmul(c, p.w.view(), p.in(), p.out()).ok()); });
                    };
                    const matmul_options options{.kernel = e.kernel};
                    context of_one{active_table(), {}, options};
                    context of_three{active_table(), three, options};
                    CHECK(count(of_one) > 0);
                    CHECK(count(of_one) == 0);
                    CHECK(count(of_three) > 0);
                    CHECK(count(of_three) == 0);
                    of_three.threads = {};
                    CHECK(count(of_three) == 0);
                }
}

TEST_CASE("a second product of several matrices allocates nothing", "[matmul]") {
    thread_pool three(3);
    for (const layout_id layout : matmul_test::every_layout)
        for (const std::int64_t tokens : {1, 40}) {
            CAPTURE(layout_name(layout), tokens);
            const sample a(500, 700, tokens, layout), b(500, 700, tokens, layout);
            std::vector<float> ya(a.y.size()), yb(a.y.size());
            const matrix_view<float> to_a(ya.data(), tokens, 500), to_b(yb.data(), tokens, 500);
            const std::vector<packed_view> experts{a.w.view(), b.w.view()};
            std::vector<std::int32_t> expert_of;
            for (std::int64_t m = 0; m < tokens; ++m)
                expert_of.push_back(static_cast<std::int32_t>(m % 3 == 1));
            context c{active_table(), three};
            for (const bool again : {false, true}) {
                const int shared = allocations_of([&] {
                    const product both[] = {{a.w, into(to_a)}, {b.w, into(to_b)}};
                    REQUIRE(matmul_shared(c, a.in(), both).ok());
                });
                const int indexed = allocations_of(
                    [&] { REQUIRE(matmul_indexed(c, experts, expert_of, a.in(), to_a).ok()); });
                if (again) CHECK((shared == 0 && indexed == 0));
                if (!again) CHECK((shared > 0 && indexed > 0));
            }
        }
}

TEST_CASE("plans are made, quantise and run without an allocation", "[matmul]") {
    for (const layout_id layout : matmul_test::every_layout)
        for (const std::int64_t tokens : {1, 40}) {
            const sample a(500, 700, tokens, layout);
            std::vector<float> y(a.y.size());
            const matrix_view<float> out(y.data(), tokens, 500);
            std::vector<std::int8_t> values(static_cast<std::size_t>(tokens * 700), std::int8_t{1});
            std::vector<float> scales(static_cast<std::size_t>(tokens), 1.0f);
            aligned_buffer memory(4 << 20);
            CAPTURE(layout_name(layout), tokens);
            CHECK(allocations_of([&] {
                      const context with{active_table()};
                      const trilobit::product both[] = {{a.w, into(out)}, {a.w, into(out)}};
                      const auto made = plan::of(with, both, tokens, 3);
                      const plan& p = made.value();
                      REQUIRE(p.bytes() <= static_cast<std::int64_t>(memory.size()));
                      const auto run = [&] {
                          for (int i = 0; i < 3; ++i) {
                              const auto [begin, end] = p.tasks_of(i);
                              REQUIRE(p.run(begin, end, i, memory.data()).ok());
                          }
                      };
                      REQUIRE(p.quantise(a.in(), 0, tokens, memory.data()).ok());
                      run();
                      REQUIRE(p.take({values.data(), tokens, 700}, {scales.data(), tokens, 1}, 0,
                                     tokens, memory.data())
                                  .ok());
                      run();
                  }) == 0);
        }
}
