// SPDX-License-Identifier: MIT
// Room integrations. Enters: bytes that clients set. Leaves: see packed_tensors.hpp.
#include "integrations/ggml/rpc/packed_tensors.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tbx::ggml {

namespace {

/// A product that nobody asked for, of one token in each matrix.
struct one_token {
    tensor x{}, y{};

    explicit one_token(tensor& weights) {
        const std::int64_t sides[2] = {weights.ne[0], weights.ne[1]};
        for (tensor* t : {&x, &y}) {
            t->type = type::f32;
            t->ne[0] = sides[t == &y];
            t->ne[1] = 1;
            t->ne[2] = weights.ne[2];
            t->ne[3] = weights.ne[3];
            t->nb[0] = sizeof(float);
            for (int i = 1; i < 4; ++i)
                t->nb[i] = t->nb[i - 1] * static_cast<std::size_t>(t->ne[i - 1]);
            t->flags = flag_compute;
        }
        x.op = the_host.views[0];  // NONE
        y.op = the_host.mul_mat;
        y.src[0] = &weights;
        y.src[1] = &x;
    }
};

/// Whole pages of the client's bytes, which nobody needs while they are packed.
void drop_pages(std::byte* at, std::size_t size) noexcept {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto from = reinterpret_cast<std::uintptr_t>(at);
    const std::uintptr_t first = (from + page - 1) / page * page,
                         last = (from + size) / page * page;
    if (first < last) (void)::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace

packed_tensors::~packed_tensors() {
    for (auto& [at, p] : held) the_calls.free_buffer(p.buffer);
}

/// The first that ends behind `at`: they do not overlap.
packed_tensors::map::iterator packed_tensors::first_behind(const std::byte* at) {
    auto i = held.upper_bound(const_cast<std::byte*>(at));
    if (i != held.begin()) {
        const auto before = std::prev(i);
        if (before->first + before->second.size > at) return before;
    }
    return i;
}

/// Setting a tensor has no answer, so this asks: refused weights multiply nothing.
bool packed_tensors::works(tensor& weights) {
    one_token product(weights);
    std::vector<float> x(the_host.bytes(&product.x) / sizeof(float)),
        y(the_host.bytes(&product.y) / sizeof(float));
    product.x.data = x.data();
    product.y.data = y.data();
    if (!trial.start(1)) return false;
    trial.add(&product.y);
    return trial.compute(stream) == status::success;
}

bool packed_tensors::take(const tensor& t, const void* bytes) {
    tensor shadow = t;
    shadow.buffer = nullptr;
    shadow.data = shadow.extra = nullptr;
    if (const one_token product(shadow); !plugin->functions.supports_op(plugin, &product.y))
        return false;
    buffer_type* type = plugin->functions.own_buffer_type(plugin);
    const std::size_t size = the_host.bytes(&t);
    buffer* made = the_calls.alloc_buffer(type, the_calls.alloc_size(type, &shadow));
    if (made == nullptr) return false;
    shadow.buffer = made;
    shadow.data = made->functions.base(made);
    if (made->functions.init_tensor(made, &shadow) == status::success) {
        made->functions.set_tensor(made, &shadow, bytes, 0, size);
        if (works(shadow)) {
            auto* at = static_cast<std::byte*>(t.data);
            held.emplace(at, packed{shadow, made, size});
            drop_pages(at, size);
            return true;
        }
    }
    the_calls.free_buffer(made);
    return false;
}

tensor* packed_tensors::find(const tensor& t) {
    const auto found = held.find(static_cast<std::byte*>(t.data));
    if (found == held.end() || t.view_src != nullptr) return nullptr;
    tensor& s = found->second.shadow;
    const bool same =
        s.type == t.type && std::equal(s.ne, s.ne + 4, t.ne) && std::equal(s.nb, s.nb + 4, t.nb);
    return same ? &s : nullptr;
}

void packed_tensors::read(const std::byte* at, std::size_t size, std::byte* to) {
    const std::byte* const end = at + size;
    for (auto i = first_behind(at); i != held.end() && i->first < end; ++i) {
        packed& p = i->second;
        const std::byte* from = std::max<const std::byte*>(at, i->first);
        const auto count =
            static_cast<std::size_t>(std::min<const std::byte*>(end, i->first + p.size) - from);
        p.buffer->functions.get_tensor(p.buffer, &p.shadow, to + (from - at),
                                       static_cast<std::size_t>(from - i->first), count);
    }
}

void packed_tensors::unpack(std::byte* at, packed& p) {
    p.buffer->functions.get_tensor(p.buffer, &p.shadow, at, 0, p.size);
}

void packed_tensors::give_back(std::byte* at, std::size_t size, bool overwritten) {
    std::byte* const end = at + size;
    for (auto i = first_behind(at); i != held.end() && i->first < end; i = held.erase(i)) {
        packed& p = i->second;
        const bool inside = i->first >= at && i->first + p.size <= end;
        if (!overwritten || !inside) unpack(i->first, p);
        the_calls.free_buffer(p.buffer);
    }
}

}  // namespace tbx::ggml
