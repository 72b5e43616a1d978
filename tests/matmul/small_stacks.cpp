// SPDX-License-Identifier: MIT
// How deep the library's calls go: 64 KiB of stack, as threads have in WebAssembly, and half of
// what they have with musl, are enough on the way from floats to products, for every back end.
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "sample.hpp"

#if defined(__unix__) && !defined(TRILOBIT_SANITIZED)
#include <pthread.h>
#include <unistd.h>

using namespace trilobit;

namespace {

constexpr std::size_t stack_bytes = 512 << 10, enough = 64 << 10;
constexpr unsigned char untouched = 0xa5;

/// Bytes of a thread's stack that f() and the thread itself have written to, down to the deepest.
std::size_t stack_of(const std::function<void()>& f) {
    aligned_buffer stack(stack_bytes);
    REQUIRE(stack.data() != nullptr);
    std::memset(stack.data(), untouched, stack_bytes);
    pthread_attr_t attributes;
    REQUIRE(pthread_attr_init(&attributes) == 0);
    REQUIRE(pthread_attr_setstack(&attributes, stack.data(), stack_bytes) == 0);
    pthread_t thread;
    const auto body = [](void* of) -> void* {
        (*static_cast<const std::function<void()>*>(of))();
        return nullptr;
    };
    REQUIRE(pthread_create(&thread, &attributes, body,
                           const_cast<void*>(static_cast<const void*>(&f))) == 0);
    REQUIRE(pthread_join(thread, nullptr) == 0);
    pthread_attr_destroy(&attributes);
    std::size_t deepest = 0;
    while (deepest < stack_bytes && stack.data()[deepest] == static_cast<std::byte>(untouched))
        ++deepest;
    return stack_bytes - deepest;
}

}  // namespace

TEST_CASE("the depth of a stack is measured", "[matmul]") {
    const std::size_t least = stack_of([] {});
    CHECK(least < enough);
    const std::size_t more = stack_of([] {
        char block[100000];
        std::memset(block, 1, sizeof block);
        // A compiler that sees all uses of a block may leave it out.
        TRILOBIT_COMPILER_BARRIER(block);
    });
    CHECK(more >= 100000);
    CHECK(more < 100000 + least);
}

TEST_CASE("every kernel of every back end multiplies on a stack of 64 KiB", "[matmul]") {
    for (const kernel_table* table : dispatch::available())
        for (const layout_id layout : matmul_test::every_layout)
            for (const scale_spec& scale : {scale_spec::row(), scale_spec::group(128)})
                for (const std::int64_t tokens : {1, 5, 40}) {
                    matmul_test::sample p(150, 300, tokens, layout, scale);
                    for (const kernel_entry& e : *table) {
                        if (e.layout != layout) continue;
                        CAPTURE(table->name, layout_name(layout), kernel_name(e.kernel),
                                activation_name(e.activation), tokens, scale.group_cols);
                        status s;
                        context c{*table, {}, {.activation = e.activation, .kernel = e.kernel}};
                        const std::size_t used =
                            stack_of([&] { s = matmul(c, p.w.view(), p.in(), p.out()); });
                        CHECK(s.ok());
                        CHECK(used <= enough);
                    }
                }
}

TEST_CASE("packing, saving, mapping and experts do with a stack of 64 KiB", "[matmul]") {
    for (const layout_id layout : matmul_test::every_layout) {
        CAPTURE(layout_name(layout));
        const matmul_test::sample p(300, 700, 5, layout);
        std::vector<float> weights(300 * 700), y(5 * 300);
        testing::generator r(1);
        for (float& v : weights) v = r.unit();
        status saved, mapped, multiplied;
        any_packed_matrix packed;
        CHECK(stack_of([&] {
                  packed = pack(layout, matrix_view<const float>(weights.data(), 300, 700));
              }) <= enough);
        const std::string file = (std::filesystem::temp_directory_path() /
                                  ("trilobit-stack-" + std::to_string(::getpid())))
                                     .string();
        CHECK(stack_of([&] {
                  saved = save(packed, file.c_str());
                  mapped = mapped_matrix(file.c_str()).status();
              }) <= enough);
        (void)std::remove(file.c_str());
        CHECK(stack_of([&] {
                  const packed_view experts[] = {p.w.view(), p.w.view()};
                  const std::int32_t expert_of[] = {0, 1, 1, 0, 1};
                  context c{matmul_test::active_table()};
                  multiplied = matmul_indexed(c, experts, expert_of, p.in(),
                                              matrix_view<float>(y.data(), 5, 300));
              }) <= enough);
        CHECK((packed.status().ok() && saved.ok() && mapped.ok() && multiplied.ok()));
    }
}

#else
TEST_CASE("every kernel of every back end multiplies on a stack of 64 KiB", "[matmul]") {
    SKIP("sanitizers add to each frame, and other systems measure stacks otherwise");
}
#endif
