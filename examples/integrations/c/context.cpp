// SPDX-License-Identifier: MIT
// Room integrations/c. Enters: names, options, activations. Leaves: versions and lists of the
// library, contexts, and the product that does everything in one call.
#include <string_view>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

#include "integrations/c/handles.hpp"

namespace tbx::capi {

status read_options(const trilobit_matmul_options* from, trilobit::matmul_options& to) noexcept {
    trilobit_matmul_options o;
    if (const status s = read_struct(from, o); !s.ok()) return s;
    if (o.reserved != 0) return reserved_field;
    if (const status s = read_id(o.activation, trilobit::activations::size,
                                 "There is no such activation.", to.activation);
        !s.ok())
        return s;
    to.activation_group = o.activation_group;
    return read_id(o.kernel, static_cast<int>(std::size(trilobit::kernel_names)),
                   "There is no such kernel.", to.kernel);
}

namespace {

constexpr std::int32_t most_threads = 1024;

#define TRILOBIT_TEXT_(x) #x
#define TRILOBIT_TEXT(x) TRILOBIT_TEXT_(x)
constexpr const char* version_text = TRILOBIT_TEXT(TRILOBIT_VERSION_MAJOR) "." TRILOBIT_TEXT(
    TRILOBIT_VERSION_MINOR) "." TRILOBIT_TEXT(TRILOBIT_VERSION_PATCH);

long this_process() noexcept {
#if defined(__unix__) || defined(__APPLE__)
    return static_cast<long>(::getpid());
#else
    return 0;
#endif
}

/// Names are literals, which end in a NUL.
const char* known(std::string_view name) noexcept {
    return name == "unknown" ? nullptr : name.data();
}

/// The back end of this name, or the one that the environment names, or the best.
trilobit::result<const trilobit::kernel_table*> kernels_of(const char* arch) noexcept {
    if (arch == nullptr) return trilobit::dispatch::active();
    for (const trilobit::kernel_table* t : trilobit::dispatch::available())
        if (t->name == arch) return t;
    return status{errc::unsupported,
                  "This machine and this library have no back end of this name."};
}

}  // namespace
}  // namespace tbx::capi

using namespace tbx::capi;

trilobit_context::trilobit_context(const trilobit::kernel_table& kernels, int count)
    : pool(count > 1 ? std::make_unique<trilobit::thread_pool>(count) : nullptr),
      products{kernels, threads()},
      process(this_process()) {}

extern "C" {

std::int32_t trilobit_abi_version(void) { return TRILOBIT_C_ABI; }

const char* trilobit_version(void) { return version_text; }

const char* trilobit_layout_name(std::int32_t layout) {
    return known(trilobit::layout_name(static_cast<trilobit::layout_id>(layout)));
}

const char* trilobit_activation_name(std::int32_t activation) {
    if (activation < 0 || activation >= trilobit::activations::size) return nullptr;
    return known(trilobit::activation_name(static_cast<trilobit::activation_id>(activation)));
}

const char* trilobit_kernel_name(std::int32_t kernel) {
    if (kernel < 0 || kernel >= std::ssize(trilobit::kernel_names)) return nullptr;
    return trilobit::kernel_names[kernel].data();
}

const char* trilobit_arch_name(std::int32_t index) {
    const auto all = trilobit::dispatch::available();
    if (index < 0 || index >= std::ssize(all)) return nullptr;
    return all[static_cast<std::size_t>(index)]->name.data();
}

trilobit_status trilobit_context_new(const trilobit_context_options* options,
                                     trilobit_context** context) {
    if (context == nullptr) return to_c(no_place);
    *context = nullptr;
    return guarded([&]() -> status {
        trilobit_context_options o;
        if (const status s = read_struct(options, o); !s.ok()) return s;
        if (o.reserved != 0) return reserved_field;
        if (o.threads < 0 || o.threads > most_threads)
            return {errc::bad_value, "A context has 1 to 1024 threads, or 0 for the calling one."};
        const auto kernels = kernels_of(o.arch);
        if (!kernels.ok()) return kernels.error();
        *context = new trilobit_context(*kernels.value(), o.threads);
        return {};
    });
}

void trilobit_context_free(trilobit_context* context) {
    if (context == nullptr) return;
    // A child of fork() has none of the threads: who waited for them would wait forever.
    if (context->process != this_process()) (void)context->pool.release();
    delete context;
}

const char* trilobit_context_arch(const trilobit_context* context) {
    return context == nullptr ? nullptr : context->products.kernels.name.data();
}

trilobit_status trilobit_matmul(trilobit_context* context, const trilobit_matrix* matrix,
                                const float* x, std::int64_t tokens, std::int64_t x_stride,
                                float* y, std::int64_t y_stride,
                                const trilobit_matmul_options* options) {
    return guarded([&]() -> status {
        if (context == nullptr) return no_context;
        if (matrix == nullptr) return no_matrix;
        trilobit::matmul_options o;
        if (const status s = read_options(options, o); !s.ok()) return s;
        trilobit::matrix_view<const float> from;
        trilobit::matrix_view<float> to;
        if (const status s = read_view(x, tokens, matrix->view.cols, x_stride, from); !s.ok())
            return s;
        if (const status s = read_view(y, tokens, matrix->view.rows, y_stride, to); !s.ok())
            return s;
        const std::lock_guard alone(context->one_product);
        context->products.options = o;
        return trilobit::matmul(context->products, matrix->view, from, to);
    });
}

}  // extern "C"
