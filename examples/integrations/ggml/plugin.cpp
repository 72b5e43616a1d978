// SPDX-License-Identifier: MIT
// Room integrations. Enters: the host's first call. Leaves: a registry of one device, TRILOBIT, and
// from it streams that compute; or null after one line, and the host goes on without us.
#include <trilobit/dispatch/dispatch.hpp>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <thread>

#include "integrations/ggml/memory.hpp"
#include "integrations/ggml/products.hpp"

namespace tbx::ggml {

namespace {

registry the_registry;
device the_device;
const trilobit::kernel_table* kernels = nullptr;

const char* name_of_registry(registry*) { return "TRILOBIT"; }
std::size_t device_count(registry*) { return 1; }
device* device_at(registry*, std::size_t index) { return index == 0 ? &the_device : nullptr; }

worker& worker_of(backend* b) noexcept { return *static_cast<worker*>(b->context); }

void set_threads(backend* b, int count) { worker_of(b).use_threads(count); }

void* find_function(registry*, const char* name) {
    if (std::strcmp(name, "ggml_backend_set_n_threads") == 0)
        return reinterpret_cast<void*>(set_threads);
    return nullptr;
}

const char* name_of_backend(backend*) { return "TRILOBIT"; }

void free_backend(backend* b) {
    delete &worker_of(b);
    delete b;
}

status compute(backend* b, graph* g) {
    try {
        return worker_of(b).compute(g);
    } catch (const std::bad_alloc&) {
        complain("there is not enough memory for this graph");
        return status::out_of_memory;
    }
}

constexpr unsigned char back_end_id[16] = {'t', 'r', 'i', 'l', 'o', 'b', 'i', 't',
                                           '.', 'g', 'g', 'm', 'l', '.', '0', '1'};

backend* init_backend(device* d, const char*) {
    const int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    try {
        auto own = std::make_unique<worker>(*kernels, threads);
        auto* b = new backend{};
        b->id = back_end_id;
        b->functions.name = name_of_backend;
        b->functions.free = free_backend;
        b->functions.compute = compute;
        b->device = d;
        b->context = own.release();
        return b;
    } catch (const std::exception& e) {
        complain("no stream can be made: ", e.what());
        return nullptr;
    }
}

const char* name_of_device(device*) { return "TRILOBIT"; }

const char* describe(device*) {
    static const std::string text = "1-bit and ternary products, " + std::string(kernels->name);
    return text.c_str();
}

// Zeros: it is the system's memory, of which the host's CPU device reports.
void report_memory(device*, std::size_t* free, std::size_t* total) { *free = *total = 0; }

device_type kind(device*) { return device_type::accelerator; }

void properties(device* d, device_properties* p) {
    p->name = name_of_device(d);
    p->description = describe(d);
    p->memory_free = p->memory_total = 0;
    p->type = kind(d);
    p->id = nullptr;
    p->asynchronous = p->host_buffer = p->buffer_from_host_pointer = p->events = false;
    p->mapped_files = true;
}

buffer_type* buffer_type_of(device*) { return own_buffer_type(); }

bool supports_op(device*, const tensor* node) { return supports(*node); }

bool supports_buffer_type(device*, buffer_type* type) {
    return is_ours(type) || the_host.is_host_memory(type);
}

registry* init() {
    if (!the_host.find() || !read_environment()) return nullptr;
    const auto arch = trilobit::dispatch::active();
    if (!arch.ok()) {
        complain(arch.error().text);
        return nullptr;
    }
    kernels = arch.value();
    make_buffer_types(&the_device);

    device_functions& d = the_device.functions;
    d.name = name_of_device;
    d.description = describe;
    d.memory = report_memory;
    d.type = kind;
    d.properties = properties;
    d.init = init_backend;
    d.own_buffer_type = buffer_type_of;
    d.supports_op = supports_op;
    d.supports_buffer_type = supports_buffer_type;
    the_device.registry = &the_registry;
    the_registry = {
        the_host.version, {name_of_registry, device_count, device_at, find_function}, nullptr};
    return &the_registry;
}

}  // namespace

}  // namespace tbx::ggml

/// What ggml_backend_load() looks for.
extern "C" __attribute__((visibility("default"))) tbx::ggml::registry* ggml_backend_init() {
    return tbx::ggml::init();
}
