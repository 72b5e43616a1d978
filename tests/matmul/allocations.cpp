// SPDX-License-Identifier: MIT
// With a workspace that has served the same shapes nothing is allocated, on any thread. A program
// of its own, since it replaces the allocation functions of all of it.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <new>

#include "product.hpp"
#include "trilobit/core/thread_pool.hpp"
#include "trilobit/matmul/indexed.hpp"

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
    return std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
}
void* required(std::size_t size, std::align_val_t to) {
    void* at = counted(size, to);
    if (at == nullptr) throw std::bad_alloc();
    return at;
}
}  // namespace

// All of them: a sanitizer's own do not call each other. Inlined, GCC sees free() for what an
// operator new made.
#define TRILOBIT_COUNT(make, drop)                                                               \
    void* operator make(std::size_t n) { return required(n, usual); }                            \
    void* operator make(std::size_t n, std::align_val_t to) { return required(n, to); }          \
    void* operator make(std::size_t n, const std::nothrow_t&) noexcept {                         \
        return counted(n, usual);                                                                \
    }                                                                                            \
    void* operator make(std::size_t n, std::align_val_t to, const std::nothrow_t&) noexcept {    \
        return counted(n, to);                                                                   \
    }                                                                                            \
    TRILOBIT_NOINLINE void operator drop(void* at) noexcept { std::free(at); }                   \
    TRILOBIT_NOINLINE void operator drop(void* at, std::size_t) noexcept { std::free(at); }      \
    TRILOBIT_NOINLINE void operator drop(void* at, std::align_val_t) noexcept { std::free(at); } \
    TRILOBIT_NOINLINE void operator drop(void* at, std::size_t, std::align_val_t) noexcept {     \
        std::free(at);                                                                           \
    }                                                                                            \
    TRILOBIT_NOINLINE void operator drop(void* at, const std::nothrow_t&) noexcept {             \
        std::free(at);                                                                           \
    }                                                                                            \
    TRILOBIT_NOINLINE void operator drop(void* at, std::align_val_t,                             \
                                         const std::nothrow_t&) noexcept {                       \
        std::free(at);                                                                           \
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
using matmul_test::product;

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
    CHECK(allocations_of([] {
              detail::thread_memory places;
              if (!places.renew(2, 100)) std::abort();
          }) == 3);
#if defined(__linux__) && !defined(TRILOBIT_SANITIZED)
    CHECK(allocations_of([] {
              void* at = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              ::munmap(at, 4096);
          }) == 1);
#endif
}

TEST_CASE("a second product of the same shapes allocates nothing", "[matmul]") {
    serial alone;
    thread_pool three(3);
    for (const layout_id layout : matmul_test::every_layout)
        for (const scale_spec& scale : {scale_spec::row(), scale_spec::group(128)})
            for (const std::int64_t tokens : {1, 5, 40})
                for (const kernel_entry& e : active_table()) {
                    if (e.layout != layout || e.activation != activation_id::int8) continue;
                    CAPTURE(layout_name(layout), kernel_name(e.kernel), tokens, scale.group_cols);
                    product p(500, 700, tokens, layout, scale);
                    const auto count = [&](auto& threads, workspace& scratch) {
                        return allocations_of([&] {
                            REQUIRE(matmul(active_table(), p.w.view(), p.in(), p.out(), scratch,
                                           threads, {.kernel = e.kernel})
                                        .ok());
                        });
                    };
                    workspace of_one, of_three;
                    CHECK(count(alone, of_one) > 0);
                    CHECK(count(alone, of_one) == 0);
                    CHECK(count(three, of_three) > 0);
                    CHECK(count(three, of_three) == 0);
                    CHECK(count(alone, of_three) == 0);  // fewer threads
                }
}

TEST_CASE("a second product of several matrices allocates nothing", "[matmul]") {
    thread_pool three(3);
    for (const layout_id layout : matmul_test::every_layout)
        for (const std::int64_t tokens : {1, 40}) {
            CAPTURE(layout_name(layout), tokens);
            const product a(500, 700, tokens, layout), b(500, 700, tokens, layout);
            std::vector<float> ya(a.y.size()), yb(a.y.size());
            const matrix_view<float> to_a(ya.data(), tokens, 500), to_b(yb.data(), tokens, 500);
            const std::vector<packed_view> experts{a.w.view(), b.w.view()};
            std::vector<std::int32_t> expert_of;
            for (std::int64_t m = 0; m < tokens; ++m)
                expert_of.push_back(static_cast<std::int32_t>(m % 3 == 1));
            workspace scratch;
            for (const bool again : {false, true}) {
                const int shared = allocations_of([&] {
                    REQUIRE(matmul_shared(active_table(), a.in(), scratch, three, {},
                                          projection{a.w.view(), epilogue::write{to_a}},
                                          projection{b.w.view(), epilogue::write{to_b}})
                                .ok());
                });
                const int indexed = allocations_of([&] {
                    REQUIRE(matmul_indexed(active_table(), experts, expert_of, a.in(), to_a,
                                           scratch, three)
                                .ok());
                });
                if (again) CHECK((shared == 0 && indexed == 0));
                if (!again) CHECK((shared > 0 && indexed > 0));
            }
        }
}

TEST_CASE("packing into the caller's memory allocates nothing", "[pack]") {
    serial alone;
    thread_pool three(3);
    testing::generator r(1);
    constexpr std::int64_t rows = 300, cols = 1000;
    std::vector<float> weights(rows * cols), scales(rows * cols / 32 + rows, 1.0f);
    for (float& v : weights) v = r.unit();
    const std::vector<std::int8_t> ones(rows * cols, 1);
    const matrix_view<const float> floats(weights.data(), rows, cols);
    for (const layout_id layout : matmul_test::every_layout)
        for (const scale_spec& spec :
             {scale_spec::tensor(), scale_spec::row(), scale_spec::group(128)}) {
            CAPTURE(layout_name(layout), spec.group_cols);
            const quantized_view values{{ones.data(), rows, cols}, scales.data(), spec};
            const auto bytes = packed_bytes(layout, rows, cols, spec);
            REQUIRE(bytes.ok());
            const aligned_buffer memory(static_cast<std::size_t>(bytes.value()));
            const std::span image(const_cast<std::byte*>(memory.data()), memory.size());
            const auto count = [&](const auto& matrix, auto& threads) {
                bool packed = false;
                const int made = allocations_of(
                    [&] { packed = pack_into(layout, image, matrix, {spec}, threads).ok(); });
                REQUIRE(packed);
                return made;
            };
            CHECK(count(floats, alone) == 0);
            CHECK(count(floats, three) == 0);
            CHECK(count(values, alone) == 0);
            CHECK(count(values, three) == 0);
            CHECK(allocations_of([&] { REQUIRE(pack(layout, values).status().ok()); }) == 1);

            // Rows that are made whole need a row block's values and scales, however many rows.
            const auto source = [&](std::int64_t, std::int8_t* to, float* of) {
                std::fill_n(to, cols, std::int8_t{1});
                std::fill_n(of, spec.segments(cols), 1.0f);
                return status{};
            };
            CHECK(allocations_of([&] {
                      REQUIRE(pack_rows_into(layout, image, rows, cols, source, {spec}).ok());
                  }) == 2);
        }
}
