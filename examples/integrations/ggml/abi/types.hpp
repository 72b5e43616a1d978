// SPDX-License-Identifier: MIT
// Room integrations. Enters: nothing. Leaves: what a back end and its host share in memory, as
// versions 2, 3 and 6 of ggml's back-end interface have it alike; the buffer type, which they do
// not, is in a header for each. Declared here because distributions install none of it. Names are
// ours, the order of the members is ggml's; functions that a back end may leave out are marked with
// a zero.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tbx::ggml {

struct buffer_type;  // version_N.hpp
struct device;
struct graph;
struct registry;
struct buffer;

enum class status : int { out_of_memory = -2, failed = -1, success = 0 };
enum class device_type : int { accelerator = 3 };

/// Types of tensors that are met here. The host is asked for their names before they are believed.
enum class type : int { f32 = 0, i32 = 26, tq1_0 = 34, tq2_0 = 35, q1_0 = 41, q2_0 = 42 };

struct tensor {
    ggml::type type;
    ggml::buffer* buffer;
    std::int64_t ne[4];  // elements, of a row first
    std::size_t nb[4];   // bytes from one element, row, matrix to the next
    int op;
    std::int32_t parameters[16];
    std::int32_t flags;
    tensor* src[10];
    tensor* view_src;
    std::size_t view_offset;
    void* data;
    char name[64];
    void* extra;
    char padding[8];
};
static_assert(sizeof(tensor) == 336);

/// Of tensor::flags: without it a node of a graph is not computed.
inline constexpr std::int32_t flag_compute = 16;

struct buffer_functions {
    void (*free)(buffer*);
    void* (*base)(buffer*);
    status (*init_tensor)(buffer*, tensor*);
    void (*memset_tensor)(buffer*, tensor*, std::uint8_t value, std::size_t offset,
                          std::size_t size);
    void (*set_tensor)(buffer*, tensor*, const void*, std::size_t offset, std::size_t size);
    void (*get_tensor)(buffer*, const tensor*, void*, std::size_t offset, std::size_t size);
    void (*set_tensor_2d)() = nullptr;
    void (*get_tensor_2d)() = nullptr;
    bool (*copy_tensor)() = nullptr;
    void (*clear)(buffer*, std::uint8_t value);
    void (*reset)() = nullptr;
};

/// Made by the host's ggml_backend_buffer_init(); newer versions have more behind this.
struct buffer {
    buffer_functions functions;
    buffer_type* type;
    void* context;
    std::size_t size;
    int usage;
};
static_assert(offsetof(buffer, type) == 0x58);

struct backend;

struct backend_functions {
    const char* (*name)(backend*);
    void (*free)(backend*);
    void (*asynchronous[5])() = {};
    void (*synchronize)() = nullptr;
    void (*plans[4])() = {};
    status (*compute)(backend*, graph*);
    void (*events[2])() = {};
    void (*optimize)() = nullptr;
};

struct backend {
    const unsigned char* id;  // 16 bytes
    backend_functions functions;
    ggml::device* device;
    void* context;
};
static_assert(offsetof(backend, device) == 0x88);

struct device_properties {
    const char* name;
    const char* description;
    std::size_t memory_free;
    std::size_t memory_total;
    device_type type;
    const char* id;
    // The last of these came with version 3 and lies in what was padding.
    bool asynchronous, host_buffer, buffer_from_host_pointer, events, mapped_files;
};
static_assert(sizeof(device_properties) == 56);

struct device_functions {
    const char* (*name)(device*);
    const char* (*description)(device*);
    void (*memory)(device*, std::size_t* free, std::size_t* total);
    device_type (*type)(device*);
    void (*properties)(device*, device_properties*);
    backend* (*init)(device*, const char* parameters);
    buffer_type* (*own_buffer_type)(device*);
    buffer_type* (*host_buffer_type)(device*) = nullptr;
    buffer* (*buffer_from_host_pointer)() = nullptr;
    bool (*supports_op)(device*, const tensor*);
    bool (*supports_buffer_type)(device*, buffer_type*);
    bool (*offload_op)() = nullptr;
    void (*events[3])() = {};
};

struct device {
    device_functions functions;
    ggml::registry* registry;
    void* context;
};
static_assert(offsetof(device, registry) == 0x78);

struct registry_functions {
    const char* (*name)(registry*);
    std::size_t (*device_count)(registry*);
    ggml::device* (*device)(registry*, std::size_t index);
    void* (*find)(registry*, const char* name);
};

struct registry {
    int version;
    registry_functions functions;
    void* context;
};

/// Functions of a buffer type in all versions; `self` is the buffer type.
struct buffer_type_functions {
    const char* (*name)(buffer_type* self);
    buffer* (*alloc)(buffer_type* self, std::size_t size);
    std::size_t (*alignment)(buffer_type* self);
    std::size_t (*tensor_size)(buffer_type* self, const tensor*);
    bool (*is_host)(buffer_type* self);
};

/// The buffer type of one version.
template <class Layout>
Layout layout_of(const buffer_type_functions& f, device* of) noexcept {
    Layout made;
    made.name = f.name;
    made.alloc = f.alloc;
    made.alignment = f.alignment;
    made.tensor_size = f.tensor_size;
    made.is_host = f.is_host;
    made.device = of;
    return made;
}

}  // namespace tbx::ggml
