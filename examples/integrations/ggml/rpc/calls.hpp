// SPDX-License-Identifier: MIT
// Room integrations. Enters: a process with ggml in it. Leaves: its functions that a server needs
// beyond those of host.hpp, looked up by name since nothing of ggml is linked.
#pragma once

#include <dlfcn.h>

#include <type_traits>

#include "integrations/ggml/host.hpp"

namespace tbx::ggml {

struct calls {
    struct context_parameters {
        std::size_t size;
        void* memory;
        bool no_alloc;
    };

    void (*load_all)();
    device* (*device_by_name)(const char*);
    registry* (*registry_by_name)(const char*);
    buffer* (*alloc_buffer)(buffer_type*, std::size_t);
    std::size_t (*alloc_size)(buffer_type*, const tensor*);
    void (*free_buffer)(buffer*);
    ggml::status (*compute)(backend*, graph*);
    void (*free_backend)(backend*);
    void* (*new_context)(context_parameters);
    void (*free_context)(void*);
    std::size_t (*graph_size)(std::size_t nodes, bool gradients);
    graph* (*new_graph)(void* context, std::size_t nodes, bool gradients);
    void (*clear_graph)(graph*);
    void (*add_node)(graph*, tensor*);

    /// False when one of them is missing, which is said.
    bool find() {
        const auto take = [](auto& to, const char* name) {
            to = reinterpret_cast<std::remove_reference_t<decltype(to)>>(dlsym(RTLD_DEFAULT, name));
            if (to == nullptr) complain("this ggml has no function ", name);
            return to != nullptr;
        };
        return take(load_all, "ggml_backend_load_all") &&
               take(device_by_name, "ggml_backend_dev_by_name") &&
               take(registry_by_name, "ggml_backend_reg_by_name") &&
               take(alloc_buffer, "ggml_backend_buft_alloc_buffer") &&
               take(alloc_size, "ggml_backend_buft_get_alloc_size") &&
               take(free_buffer, "ggml_backend_buffer_free") &&
               take(compute, "ggml_backend_graph_compute") &&
               take(free_backend, "ggml_backend_free") && take(new_context, "ggml_init") &&
               take(free_context, "ggml_free") && take(graph_size, "ggml_graph_overhead_custom") &&
               take(new_graph, "ggml_new_graph_custom") && take(clear_graph, "ggml_graph_clear") &&
               take(add_node, "ggml_graph_add_node");
    }
};

extern calls the_calls;

/// A graph that is filled and computed again and again.
class scratch_graph {
    void* context = nullptr;
    graph* nodes = nullptr;
    std::size_t capacity = 0;

    void drop() noexcept {
        if (context != nullptr) the_calls.free_context(context);
        context = nullptr;
    }

public:
    scratch_graph() noexcept = default;
    scratch_graph(const scratch_graph&) = delete;
    scratch_graph& operator=(const scratch_graph&) = delete;
    ~scratch_graph() { drop(); }

    /// Empty, with room for so many nodes; false without the memory for it.
    bool start(std::size_t count) {
        if (count <= capacity) {
            the_calls.clear_graph(nodes);
            return true;
        }
        drop();
        capacity = 0;
        context = the_calls.new_context({the_calls.graph_size(count, false) + 4096, nullptr, true});
        if (context == nullptr) return false;
        nodes = the_calls.new_graph(context, count, false);
        capacity = count;
        return true;
    }
    void add(tensor* node) { the_calls.add_node(nodes, node); }
    status compute(backend* by) { return the_calls.compute(by, nodes); }
};

}  // namespace tbx::ggml
