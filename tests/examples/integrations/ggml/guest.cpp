// SPDX-License-Identifier: MIT
// Tests of integrations/ggml. Enters: the path of the plug-in, and what to try. Leaves: exit status
// 0 if ggml, called as any engine calls it, gave what it should; else a line that says what not.
// Runs among the libraries of the ggml that is tried, so nothing of ggml is linked.
#include <dlfcn.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "integrations/ggml/abi/types.hpp"

namespace {

using tbx::ggml::tensor;
using tbx::ggml::type;

void expect(bool true_, const char* what) {
    if (true_) return;
    std::fprintf(stderr, "guest: %s\n", what);
    std::exit(1);
}

template <class F>
F* function(const char* name) {
    void* found = dlsym(RTLD_DEFAULT, name);
    if (found == nullptr) found = dlsym(dlopen("libggml.so.0", RTLD_NOW | RTLD_GLOBAL), name);
    expect(found != nullptr, name);
    return reinterpret_cast<F*>(found);
}

template <class R, class... A>
R call(const char* name, A... arguments) {
    return function<R(A...)>(name)(arguments...);
}

struct init_parameters {
    std::size_t size;
    void* memory;
    bool no_alloc;
};

void* load(const char* path) { return call<void*>("ggml_backend_load", path); }

void* remote = nullptr;  // a device on a server of examples/integrations/ggml/rpc

void* our_device() {
    if (remote != nullptr) return remote;
    return call<void*, const char*>("ggml_backend_dev_by_name", "TRILOBIT");
}

void* function_of(const char* registry, const char* name) {
    void* found = call<void*, void*, const char*>(
        "ggml_backend_reg_get_proc_address",
        call<void*, const char*>("ggml_backend_reg_by_name", registry), name);
    expect(found != nullptr, name);
    return found;
}

/// A matrix of TQ2_0 in one case, times `tokens` rows of whole numbers that int8 holds exactly
/// whether its scale is of a token or of 32 columns.
class case_of_product {
    static constexpr std::int64_t cols = 512;
    std::int64_t rows, tokens;
    unsigned state;
    void *backend, *context, *graph, *buffer;
    tensor *w, *x, *ids = nullptr, *y;

    unsigned random() {
        state = state * 1664525u + 1013904223u;
        return state >> 16;
    }

public:
    std::vector<unsigned char> file;
    std::vector<float> activations, expected;

    case_of_product(unsigned seed, std::int64_t row_count, std::int64_t token_count,
                    bool experts = false)
        : rows(row_count), tokens(token_count), state(seed) {
        backend = call<void*, void*, const char*>("ggml_backend_dev_init", our_device(), nullptr);
        expect(backend != nullptr, "no stream of the device");
        context = call<void*>("ggml_init", init_parameters{1 << 20, nullptr, true});
        const std::int64_t matrices = experts ? 2 : 1;
        w = call<tensor*>("ggml_new_tensor_3d", context, type::tq2_0, cols, rows, matrices);
        x = call<tensor*>("ggml_new_tensor_3d", context, type::f32, cols,
                          experts ? std::int64_t{1} : tokens, experts ? tokens : std::int64_t{1});
        if (experts) {
            ids = call<tensor*>("ggml_new_tensor_2d", context, type::i32, std::int64_t{1}, tokens);
            y = call<tensor*>("ggml_mul_mat_id", context, w, x, ids);
        } else {
            y = call<tensor*>("ggml_mul_mat", context, w, x);
        }
        graph = call<void*>("ggml_new_graph", context);
        call<void>("ggml_build_forward_expand", graph, y);
        expect(call<bool, void*, const tensor*>("ggml_backend_dev_supports_op", our_device(), y),
               "the product is declined");
        buffer = call<void*>("ggml_backend_alloc_ctx_tensors", context, backend);
        expect(buffer != nullptr, "no buffer");
        make(matrices);
    }
    ~case_of_product() {
        call<void>("ggml_backend_buffer_free", buffer);
        call<void>("ggml_free", context);
        call<void>("ggml_backend_free", backend);
    }
    case_of_product(const case_of_product&) = delete;
    case_of_product& operator=(const case_of_product&) = delete;

    void make(std::int64_t matrices) {
        std::vector<int> values(static_cast<std::size_t>(matrices * rows * cols));
        file.assign(values.size() / 256 * 66, 0);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const unsigned code = random() % 3, e = i % 256;
            values[i] = static_cast<int>(code) - 1;
            file[i / 256 * 66 + e / 128 * 32 + e % 32] |=
                static_cast<unsigned char>(code << (2 * (e / 32 % 4)));
        }
        // The scales 1/2 and 1, one for each half of a row.
        for (std::size_t b = 0; b < file.size() / 66; ++b)
            file[b * 66 + 65] = static_cast<unsigned char>(b % 2 == 0 ? 0x38 : 0x3c);
        activations.resize(static_cast<std::size_t>(tokens * cols));
        for (std::size_t i = 0; i < activations.size(); ++i)
            activations[i] = i % 32 == 0 ? 127.0f : static_cast<float>(random() % 255) - 127.0f;
        expected.assign(static_cast<std::size_t>(tokens * rows), 0.0f);
        for (std::int64_t m = 0; m < tokens; ++m)
            for (std::int64_t n = 0; n < rows; ++n) {
                double sum = 0;
                const std::int64_t row = (matrices == 1 ? 0 : m % matrices * rows) + n;
                for (std::int64_t k = 0; k < cols; ++k)
                    sum +=
                        (k < 256 ? 0.5 : 1.0) *
                        static_cast<double>(activations[static_cast<std::size_t>(m * cols + k)]) *
                        values[static_cast<std::size_t>(row * cols + k)];
                expected[static_cast<std::size_t>(m * rows + n)] = static_cast<float>(sum);
            }
    }
    void set_file(std::size_t from, std::size_t count) {
        call<void>("ggml_backend_tensor_set", w, static_cast<const void*>(file.data() + from), from,
                   count);
    }
    void set_threads(int count) {
        if (remote != nullptr) return;
        void* found = function_of("TRILOBIT", "ggml_backend_set_n_threads");
        reinterpret_cast<void (*)(void*, int)>(found)(backend, count);
    }
    int compute(std::int32_t strange_expert = 0) {
        call<void>("ggml_backend_tensor_set", x, static_cast<const void*>(activations.data()),
                   std::size_t{0}, activations.size() * sizeof(float));
        if (ids != nullptr) {
            std::vector<std::int32_t> experts(static_cast<std::size_t>(tokens));
            for (std::size_t m = 0; m < experts.size(); ++m)
                experts[m] = static_cast<std::int32_t>(m % 2) + strange_expert;
            call<void>("ggml_backend_tensor_set", ids, static_cast<const void*>(experts.data()),
                       std::size_t{0}, experts.size() * 4);
        }
        return call<int>("ggml_backend_graph_compute", backend, graph);
    }
    void expect_right() {
        expect(compute() == 0, "the product failed");
        std::vector<float> got(expected.size());
        call<void, const tensor*>("ggml_backend_tensor_get", y, static_cast<void*>(got.data()),
                                  std::size_t{0}, got.size() * sizeof(float));
        expect(got == expected, "the product is wrong");
    }
    void expect_failure(std::int32_t strange_expert = 0) {
        expect(compute(strange_expert) == -1, "the product should have failed");
    }
    void expect_same_bytes() {
        std::vector<unsigned char> back(file.size());
        for (const std::size_t step : {file.size(), std::size_t{1000}})
            for (std::size_t at = 0; at < back.size(); at += step)
                call<void, const tensor*>("ggml_backend_tensor_get", w,
                                          static_cast<void*>(back.data() + at), at,
                                          std::min(step, back.size() - at));
        expect(back == file, "other weights come back than were set");
    }
};

void right(unsigned seed) {
    for (const int threads : {1, 2})
        for (const std::int64_t tokens : {1, 5, 70})
            for (const bool experts : {false, true}) {
                case_of_product c(seed++, 200, tokens, experts);
                c.set_threads(threads);
                c.set_file(0, c.file.size());
                c.expect_right();
                c.expect_same_bytes();
            }
}

void twice(const char* plugin) {
    for (int i = 0; i < 2; ++i) {
        right(7);
        call<void>("ggml_backend_unload",
                   call<void*, const char*>("ggml_backend_reg_by_name", "TRILOBIT"));
        expect(our_device() == nullptr, "the device is still there");
        expect(dlopen(plugin, RTLD_NOW | RTLD_NOLOAD) == nullptr, "the plug-in is still there");
        expect(load(plugin) != nullptr, "it cannot be loaded again");
    }
}

void threads(const char*) {
    std::thread a([] { right(1); }), b([] { right(100); });
    a.join();
    b.join();
}

void hostile(const char*) {
    {
        case_of_product never_set(1, 100, 3);
        never_set.expect_failure();
        never_set.set_file(0, 1000);
        never_set.expect_failure();
        never_set.set_file(1000, 500);
        never_set.set_file(1500, never_set.file.size() - 1500);
        never_set.expect_right();
        never_set.set_file(500, 500);
        never_set.expect_failure();
    }
    for (const int change : {0, 1, 2}) {
        case_of_product c(2, 100, 3);
        auto& byte = c.file[66 * 7 + (change == 2 ? 3 : 65)];
        const auto before = byte;
        byte = change == 0 ? 0x7e : change == 1 ? 0xfc : 0xff;  // NaN, -infinity, the code 3
        c.set_file(0, c.file.size());
        c.expect_failure();
        byte = before;
        c.set_file(0, c.file.size());
        c.expect_right();
        c.activations[9] = change == 0 ? std::numeric_limits<float>::quiet_NaN()
                                       : std::numeric_limits<float>::infinity();
        c.expect_failure();
    }
    case_of_product experts(3, 100, 6, true);
    experts.set_file(0, experts.file.size());
    experts.expect_failure(1);
    experts.expect_failure(-1);
    experts.expect_right();
}

/// A client that does with its weights what it likes gets what ggml alone would give.
void on_server(const char* endpoint) {
    auto* add =
        reinterpret_cast<void* (*)(const char*)>(function_of("RPC", "ggml_backend_rpc_add_server"));
    remote =
        call<void*, void*, std::size_t>("ggml_backend_reg_dev_get", add(endpoint), std::size_t{0});
    right(7);
    case_of_product c(2, 100, 3);
    c.set_file(0, c.file.size());
    c.set_file(500, 500);
    c.expect_same_bytes();
    c.expect_right();
    c.set_file(0, 1000);
    c.set_file(1000, c.file.size() - 1000);
    c.expect_right();
    auto& scale = c.file[66 * 7 + 65];
    const auto before = std::exchange(scale, static_cast<unsigned char>(0x7e));  // NaN
    c.set_file(0, c.file.size());
    expect(c.compute() == 0, "a scale that is NaN killed the server");
    c.expect_same_bytes();
    scale = before;
    c.set_file(0, c.file.size());
    c.expect_right();
}

}  // namespace

int main(int count, char** arguments) {
    expect(count == 3, "guest PLUGIN twice|threads|hostile, or guest server ADDRESS:PORT");
    call<void>("ggml_backend_load_all");
    if (arguments[1] == std::string("server")) {
        on_server(arguments[2]);
        return 0;
    }
    expect(load(arguments[1]) != nullptr, "the plug-in cannot be loaded");
    const std::map<std::string, void (*)(const char*)> trials = {
        {"twice", twice}, {"threads", threads}, {"hostile", hostile}};
    const auto found = trials.find(arguments[2]);
    expect(found != trials.end(), "there is no such trial");
    found->second(arguments[1]);
}
