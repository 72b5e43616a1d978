// SPDX-License-Identifier: MIT
// Room integrations. Enters: graphs and bytes of clients. Leaves: see served_device.hpp. The server
// of ggml serves one client at a time, on one thread.
#include "integrations/ggml/rpc/served_device.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "integrations/ggml/abi/version_3.hpp"
#include "integrations/ggml/rpc/packed_tensors.hpp"

namespace tbx::ggml {

namespace {

constexpr const char* device_name = "TRILOBIT";

struct served {
    ggml::registry registry;
    ggml::device device;
    std::optional<version_3::buffer_type_layout> memory_type;
    ggml::device *plugin, *cpu;
    backend *plugin_stream, *cpu_stream;
    std::optional<packed_tensors> packed;
    std::size_t offered, used;

    scratch_graph part;            // consecutive nodes of one side
    bool is_ours;                  // which side
    std::vector<tensor*> pending;  // the client's nodes of the part
    std::vector<tensor> shadows;   // our nodes: theirs, with the packed weights
};
served self;

// Memory ----------------------------------------------------------------------------------------

std::byte* base_of(const buffer* b) noexcept { return static_cast<std::byte*>(b->context); }

void free_buffer(buffer* b) {
    self.packed->give_back(base_of(b), b->size, true);
    ::munmap(b->context, b->size);
    self.used -= b->size;
}

void* base(buffer* b) { return b->context; }

void set_tensor(buffer*, tensor* t, const void* data, std::size_t offset, std::size_t size) {
    std::byte* at = static_cast<std::byte*>(t->data) + offset;
    self.packed->give_back(at, size, true);
    if (offset == 0 && size == the_host.bytes(t) && self.packed->take(*t, data)) return;
    std::memcpy(at, data, size);
}

void get_tensor(buffer*, const tensor* t, void* data, std::size_t offset, std::size_t size) {
    const std::byte* at = static_cast<const std::byte*>(t->data) + offset;
    std::memcpy(data, at, size);
    self.packed->read(at, size, static_cast<std::byte*>(data));
}

void memset_tensor(buffer*, tensor* t, std::uint8_t value, std::size_t offset, std::size_t size) {
    std::byte* at = static_cast<std::byte*>(t->data) + offset;
    self.packed->give_back(at, size, true);
    std::memset(at, value, size);
}

void clear(buffer* b, std::uint8_t value) {
    self.packed->give_back(base_of(b), b->size, true);
    std::memset(b->context, value, b->size);
}

buffer* alloc(buffer_type* type, std::size_t size) {
    size = std::max<std::size_t>(size, 64);
    void* bytes = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) {
        complain("there is not enough memory for a client's buffer");
        return nullptr;
    }
    buffer_functions f{};
    f.free = free_buffer;
    f.base = base;
    f.init_tensor = nullptr;
    f.memset_tensor = memset_tensor;
    f.set_tensor = set_tensor;
    f.get_tensor = get_tensor;
    f.clear = clear;
    buffer* made = the_host.make_buffer(type, f, bytes, size);
    if (made == nullptr)
        ::munmap(bytes, size);
    else
        self.used += size;
    return made;
}

const char* type_name(buffer_type*) { return device_name; }
std::size_t alignment(buffer_type*) { return 64; }
std::size_t tensor_size(buffer_type*, const tensor* t) { return the_host.bytes(t); }
bool is_host(buffer_type*) { return false; }

// Graphs ----------------------------------------------------------------------------------------

void give_back(const tensor* t) {
    if (t != nullptr && t->data != nullptr)
        self.packed->give_back(static_cast<std::byte*>(t->data), the_host.bytes(t));
}

void give_back_all_of(const tensor& node) {
    give_back(&node);
    for (const tensor* source : node.src) give_back(source);
}

/// What the plug-in fails at, ggml's own operators decide: the server dies of a failed graph.
status finish_part() {
    if (self.pending.empty()) return status::success;
    status done = self.part.compute(self.is_ours ? self.plugin_stream : self.cpu_stream);
    if (done != status::success && self.is_ours) {
        if (!self.part.start(self.pending.size())) return status::out_of_memory;
        for (tensor* node : self.pending) {
            give_back_all_of(*node);
            self.part.add(node);
        }
        done = self.part.compute(self.cpu_stream);
    }
    self.pending.clear();
    return done;
}

/// The client's node with the weights that we packed; false when it is not for us.
bool make_shadow(const tensor& node) {
    if (node.op != the_host.mul_mat && node.op != the_host.mul_mat_id) return false;
    tensor* weights = node.src[0] == nullptr ? nullptr : self.packed->find(*node.src[0]);
    if (weights == nullptr) return false;
    self.shadows.push_back(node);
    self.shadows.back().src[0] = weights;
    if (self.plugin->functions.supports_op(self.plugin, &self.shadows.back())) return true;
    self.shadows.pop_back();
    return false;
}

status compute_nodes(graph* g) {
    const int count = the_host.node_count(g);
    self.pending.clear();
    self.shadows.clear();
    self.shadows.reserve(static_cast<std::size_t>(count));  // they are pointed to
    for (int i = 0; i < count; ++i) {
        tensor* node = the_host.node(g, i);
        if (node == nullptr || the_host.only_looks(node->op)) continue;
        const bool ours = make_shadow(*node);
        if (self.pending.empty() || ours != self.is_ours) {
            if (const status s = finish_part(); s != status::success) return s;
            if (!self.part.start(static_cast<std::size_t>(count))) return status::out_of_memory;
            self.is_ours = ours;
        }
        if (!ours) give_back_all_of(*node);
        self.pending.push_back(node);
        self.part.add(ours ? &self.shadows.back() : node);
    }
    return finish_part();
}

status compute(backend*, graph* g) {
    try {
        return compute_nodes(g);
    } catch (const std::bad_alloc&) {
        complain("there is not enough memory for this graph");
        return status::out_of_memory;
    }
}

// The device --------------------------------------------------------------------------------------

const char* name_of_backend(backend*) { return device_name; }
void free_backend(backend* b) { delete b; }

void set_threads(backend*, int count) {
    for (backend* b : {self.plugin_stream, self.cpu_stream}) {
        ggml::registry* r = b->device->registry;
        void* found = r->functions.find(r, "ggml_backend_set_n_threads");
        if (found != nullptr) reinterpret_cast<void (*)(backend*, int)>(found)(b, count);
    }
}

constexpr unsigned char id[16] = {'t', 'r', 'i', 'l', 'o', 'b', 'i', 't',
                                  '.', 'r', 'p', 'c', '.', '.', '0', '1'};

backend* init_backend(device* d, const char*) {
    auto* b = new (std::nothrow) backend{};
    if (b == nullptr) return nullptr;
    b->id = id;
    b->functions.name = name_of_backend;
    b->functions.free = free_backend;
    b->functions.compute = compute;
    b->device = d;
    return b;
}

const char* name_of_device(device*) { return device_name; }
const char* describe(device*) { return self.plugin->functions.description(self.plugin); }

void report_memory(device*, std::size_t* free, std::size_t* total) {
    *total = self.offered;
    *free = self.offered - std::min(self.offered, self.used);
}

device_type kind(device*) { return device_type::accelerator; }

void properties(device* d, device_properties* p) {
    *p = {};
    p->name = device_name;
    p->description = describe(d);
    report_memory(d, &p->memory_free, &p->memory_total);
    p->type = kind(d);
}

buffer_type* memory_type() { return reinterpret_cast<buffer_type*>(&*self.memory_type); }
buffer_type* buffer_type_of(device*) { return memory_type(); }
bool supports_op(device*, const tensor*) { return true; }
bool supports_buffer_type(device*, buffer_type* type) { return type == memory_type(); }

const char* name_of_registry(registry*) { return device_name; }
std::size_t device_count(registry*) { return 1; }
device* device_at(registry*, std::size_t index) { return index == 0 ? &self.device : nullptr; }
void* find_function(registry*, const char* wanted) {
    return std::strcmp(wanted, "ggml_backend_set_n_threads") == 0
               ? reinterpret_cast<void*>(set_threads)
               : nullptr;
}

}  // namespace

device* make_served_device(device* plugin, device* cpu, std::size_t memory) {
    self.plugin = plugin;
    self.cpu = cpu;
    self.offered = memory;
    self.plugin_stream = plugin->functions.init(plugin, nullptr);
    self.cpu_stream = cpu->functions.init(cpu, nullptr);
    if (self.plugin_stream == nullptr || self.cpu_stream == nullptr) {
        complain("ggml's devices could not be started");
        return nullptr;
    }
    self.packed.emplace(plugin, self.plugin_stream);
    self.memory_type = layout_of<version_3::buffer_type_layout>(
        {type_name, alloc, alignment, tensor_size, is_host}, &self.device);

    device_functions& d = self.device.functions;
    d.name = name_of_device;
    d.description = describe;
    d.memory = report_memory;
    d.type = kind;
    d.properties = properties;
    d.init = init_backend;
    d.own_buffer_type = buffer_type_of;
    d.supports_op = supports_op;
    d.supports_buffer_type = supports_buffer_type;
    self.device.registry = &self.registry;
    self.registry = {
        the_host.version, {name_of_registry, device_count, device_at, find_function}, nullptr};
    return &self.device;
}

}  // namespace tbx::ggml
