// SPDX-License-Identifier: MIT
// Room web. Enters: calls of the allocator by several workers. Leaves: the same, one at a time:
// WASI's own was made for one thread. The linker's --wrap leads all calls here.
#include <atomic>
#include <cstddef>

extern "C" {

void* __real_malloc(std::size_t);
void __real_free(void*);
void* __real_calloc(std::size_t, std::size_t);
void* __real_realloc(void*, std::size_t);
void* __real_aligned_alloc(std::size_t, std::size_t);
int __real_posix_memalign(void**, std::size_t, std::size_t);

}  // extern "C"

namespace {

class turn {
    static inline std::atomic<bool> taken{false};

public:
    turn() noexcept {
        while (taken.exchange(true, std::memory_order_acquire)) {}
    }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn() { taken.store(false, std::memory_order_release); }
};

}  // namespace

extern "C" {

void* __wrap_malloc(std::size_t bytes) {
    const turn mine;
    return __real_malloc(bytes);
}
void __wrap_free(void* block) {
    const turn mine;
    __real_free(block);
}
void* __wrap_calloc(std::size_t count, std::size_t bytes) {
    const turn mine;
    return __real_calloc(count, bytes);
}
void* __wrap_realloc(void* block, std::size_t bytes) {
    const turn mine;
    return __real_realloc(block, bytes);
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
    const turn mine;
    return __real_aligned_alloc(alignment, bytes);
}
int __wrap_posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
    const turn mine;
    return __real_posix_memalign(block, alignment, bytes);
}

}  // extern "C"
