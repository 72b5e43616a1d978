// SPDX-License-Identifier: MIT
// Room web. Enters: `throw`, and memory that is not there. Leaves: the line of the exception, to
// JavaScript. Debian's libraries for WebAssembly know no exceptions, and nothing in this module
// would go on after one: a page that meets one starts a new instance.
#include <cstdlib>
#include <exception>
#include <new>
#include <typeinfo>

#include "host.hpp"

namespace {

// Everything that the rooms throw is a std::exception by single inheritance, so that the object
// thrown starts with it. Other things have no words.
const std::exception* as_exception(void* thrown, const std::type_info* type) {
    return type == nullptr ? nullptr : static_cast<const std::exception*>(thrown);
}

void* allocate(std::size_t bytes, std::size_t alignment) {
    void* got =
        alignment <= alignof(std::max_align_t)
            ? std::malloc(bytes == 0 ? 1 : bytes)
            : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (got == nullptr) tbx::web::fail("the memory of this page does not suffice");
    return got;
}

}  // namespace

extern "C" {

void* __cxa_allocate_exception(std::size_t bytes) noexcept { return std::malloc(bytes + 16); }
void __cxa_free_exception(void* thrown) noexcept { std::free(thrown); }
[[noreturn]] void __cxa_throw(void* thrown, std::type_info* type, void (*)(void*)) {
    const std::exception* e = as_exception(thrown, type);
    tbx::web::fail(e == nullptr ? "an error without words" : e->what());
}
// What would catch is never reached.
void* __cxa_begin_catch(void* thrown) noexcept { return thrown; }
void __cxa_end_catch() {}
[[noreturn]] void __cxa_rethrow() { tbx::web::fail("an error without words"); }
// Threads end with the page.
int __cxa_thread_atexit(void (*)(void*), void*, void*) { return 0; }

}  // extern "C"

void* operator new(std::size_t bytes) { return allocate(bytes, 1); }
void* operator new[](std::size_t bytes) { return allocate(bytes, 1); }
void* operator new(std::size_t bytes, std::align_val_t at) {
    return allocate(bytes, static_cast<std::size_t>(at));
}
void* operator new[](std::size_t bytes, std::align_val_t at) {
    return allocate(bytes, static_cast<std::size_t>(at));
}
