// SPDX-License-Identifier: MIT
// Room integrations. Enters: the host's calls about buffers. Leaves: see memory.hpp.
#include "integrations/ggml/memory.hpp"

#include <trilobit/core/aligned_buffer.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>

#include "integrations/ggml/abi/version_2.hpp"
#include "integrations/ggml/abi/version_3.hpp"
#include "integrations/ggml/abi/version_6.hpp"
#include "integrations/ggml/weights.hpp"

namespace tbx::ggml {

namespace {

using layouts = std::variant<std::monostate, version_2::buffer_type_layout,
                             version_3::buffer_type_layout, version_6::buffer_type_layout>;
layouts plain_type, packed_type;

buffer_type* address(layouts& of) noexcept {
    return std::visit([](auto& l) { return reinterpret_cast<buffer_type*>(&l); }, of);
}

struct memory {
    trilobit::aligned_buffer bytes;
    std::mutex guard;                               // of the map, and of setting
    std::unordered_map<const void*, weights> held;  // by where they lie: views have no other key
};

memory& memory_of(const buffer* b) noexcept { return *static_cast<memory*>(b->context); }

/// Where a view's bytes lie in the tensor that is no view.
const tensor& root_of(const tensor& t, std::size_t& offset) noexcept {
    if (t.view_src == nullptr) return t;
    offset += t.view_offset;
    return *t.view_src;
}

void free_buffer(buffer* b) { delete &memory_of(b); }

void* base(buffer* b) { return memory_of(b).bytes.data(); }

status init_tensor(buffer* b, tensor* t) {
    if (packable(*t) == nullptr) return status::success;
    memory& m = memory_of(b);
    const std::lock_guard lock(m.guard);
    weights& w = m.held[t->data];
    w.forget();
    t->extra = &w;
    b->type = address(packed_type);
    return status::success;
}

/// Those of a tensor, or of what it is a view of.
weights* find(memory& m, const tensor& t) noexcept {
    const auto found = m.held.find(t.data);
    return found == m.held.end() ? nullptr : &found->second;
}

void set_tensor(buffer* b, tensor* view, const void* data, std::size_t offset, std::size_t size) {
    const tensor& t = root_of(*view, offset);
    const weight_type* type = packable(t);
    memory& m = memory_of(b);
    if (type == nullptr) {
        std::memcpy(static_cast<std::byte*>(t.data) + offset, data, size);
        return;
    }
    const std::lock_guard lock(m.guard);
    weights* w = find(m, t);
    if (w == nullptr) return complain("weights were set that were never placed: ", t.name);
    team threads(static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
    const auto s = w->set(*type, t, {static_cast<const std::byte*>(data), size}, offset, threads);
    if (!s.ok()) complain((std::string(t.name) + " is refused: ").c_str(), s.text);
}

void get_tensor(buffer* b, const tensor* view, void* data, std::size_t offset, std::size_t size) {
    const tensor& t = root_of(*view, offset);
    const weight_type* type = packable(t);
    memory& m = memory_of(b);
    if (type == nullptr) {
        std::memcpy(data, static_cast<const std::byte*>(t.data) + offset, size);
        return;
    }
    const std::lock_guard lock(m.guard);
    if (const weights* w = find(m, t))
        w->get(*type, t, {static_cast<std::byte*>(data), size}, offset);
}

void memset_tensor(buffer* b, tensor* view, std::uint8_t value, std::size_t offset,
                   std::size_t size) {
    const tensor& t = root_of(*view, offset);
    if (packable(t) == nullptr) {
        std::memset(static_cast<std::byte*>(t.data) + offset, value, size);
        return;
    }
    memory& m = memory_of(b);
    const std::lock_guard lock(m.guard);
    if (weights* w = find(m, t)) w->forget();
}

void clear(buffer* b, std::uint8_t value) {
    memory& m = memory_of(b);
    const std::lock_guard lock(m.guard);
    for (auto& [at, w] : m.held) w.forget();
    std::memset(m.bytes.data(), value, m.bytes.size());
}

const char* type_name(buffer_type*) { return "TRILOBIT"; }

buffer* alloc(buffer_type* self, std::size_t size) {
    auto m = std::unique_ptr<memory>(new (std::nothrow) memory);
    if (m == nullptr) return nullptr;
    m->bytes = trilobit::aligned_buffer(std::max<std::size_t>(size, 64));
    if (m->bytes.data() == nullptr) {
        complain("there is not enough memory for a buffer");
        return nullptr;
    }
    buffer_functions f{};
    f.free = free_buffer;
    f.base = base;
    f.init_tensor = init_tensor;
    f.memset_tensor = memset_tensor;
    f.set_tensor = set_tensor;
    f.get_tensor = get_tensor;
    f.clear = clear;
    buffer* made = the_host.make_buffer(self, f, m.get(), size);
    if (made != nullptr) (void)m.release();
    return made;
}

std::size_t alignment(buffer_type*) { return 64; }

std::size_t tensor_size(buffer_type*, const tensor* t) {
    if (const weight_type* type = packable(*t))
        return std::max(packed_size(*type, *t), file_size(*type, *t));
    return the_host.bytes(t);
}

bool is_host(buffer_type* self) { return self == address(plain_type); }

}  // namespace

void make_buffer_types(device* of) {
    const buffer_type_functions f{type_name, alloc, alignment, tensor_size, is_host};
    for (layouts* type : {&plain_type, &packed_type}) {
        if (the_host.version == 2) *type = layout_of<version_2::buffer_type_layout>(f, of);
        if (the_host.version == 3) *type = layout_of<version_3::buffer_type_layout>(f, of);
        if (the_host.version == 6) *type = layout_of<version_6::buffer_type_layout>(f, of);
    }
}

buffer_type* own_buffer_type() noexcept { return address(plain_type); }

bool is_ours(const buffer_type* type) noexcept {
    return type == address(plain_type) || type == address(packed_type);
}

std::span<const trilobit::packed_view> packed_weights(const tensor& t) noexcept {
    if (t.buffer == nullptr || t.buffer->type != address(packed_type) || t.extra == nullptr)
        return {};
    return static_cast<const weights*>(t.extra)->matrices();
}

}  // namespace tbx::ggml
