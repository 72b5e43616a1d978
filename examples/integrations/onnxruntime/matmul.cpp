// SPDX-License-Identifier: MIT
// Room integrations. Enters: a node's attributes, initializers and inputs. Leaves: see matmul.hpp.
#include "integrations/onnxruntime/matmul.hpp"

#include <trilobit/matmul/matmul.hpp>
#include <trilobit/pack/header.hpp>

#include <algorithm>
#include <cstring>
#include <span>

#include "integrations/onnxruntime/threads.hpp"

namespace tbx::onnx {

namespace {

spare_memory spare;

std::int64_t read_int(const OrtApi& api, const OrtKernelInfo* info, const char* name) {
    std::int64_t value = 0;
    check(api.KernelInfoGetAttribute_int64(info, name, &value));
    return value;
}

std::string read_string(const OrtApi& api, const OrtKernelInfo* info, const char* name) {
    std::size_t size = 0;  // with the zero at its end
    check(api.KernelInfoGetAttribute_string(info, name, nullptr, &size));
    std::string value(size, '\0');
    check(api.KernelInfoGetAttribute_string(info, name, value.data(), &size));
    value.resize(std::strlen(value.c_str()));
    return value;
}

void log(const OrtApi& api, const OrtKernelInfo* info, const std::string& text) {
    const OrtLogger* logger = nullptr;
    check(api.KernelInfo_GetLogger(info, &logger));
    check(api.Logger_LogMessage(logger, ORT_LOGGING_LEVEL_INFO, text.c_str(), ORT_FILE, __LINE__,
                                "trilobit.MatMul"));
}

/// values += bias, then Y's own type.
template <class T>
struct finish {
    trilobit::matrix_view<T> y;
    const T* bias;
    const tbx::onnx::halves* halves;

    void operator()(float* values, int count, std::int64_t token, std::int64_t row) const noexcept {
        T* const to = y.row(token) + row;
        if constexpr (sizeof(T) == sizeof(float)) {
            if (bias != nullptr)
                for (int i = 0; i < count; ++i) values[i] += bias[row + i];
            std::memcpy(to, values, sizeof(float) * static_cast<std::size_t>(count));
        } else {
            if (bias != nullptr)
                for (int i = 0; i < count; ++i) values[i] += trilobit::f16_to_f32(bias[row + i]);
            halves->from_floats(values, to, count);
        }
    }
};

}  // namespace

matmul_node::matmul_node(const matmul_op& op, const OrtKernelInfo* info)
    : api(*op.api), is_half(op.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16) {
    const auto arch = trilobit::dispatch::active();
    check(api, arch.error());
    kernels = arch.value();
    halves = &trilobit::dispatch::per_arch<tbx::onnx::halves, halves_of>::serving(kernels->name);
    read_options(info);
    place_image(info);
    check_image(info);
}

void matmul_node::read_options(const OrtKernelInfo* info) {
    const std::string wanted = read_string(api, info, "activation");
    bool known = false;
    for (int i = 0; i < trilobit::activations::size; ++i) {
        const auto id = static_cast<trilobit::activation_id>(i);
        if (wanted != trilobit::activation_name(id)) continue;
        options.activation = id;
        known = true;
    }
    if (!known)
        fail(api, "There is no activation '" + wanted + "'; there are int8, int4, int2 and sign.");
    const std::int64_t group = read_int(api, info, "group");
    if (group != 0 && group != 32 && group != 64 && group != 128 && group != 256)
        fail(api, "A group of activations is 0, 32, 64, 128 or 256 columns, not " +
                      std::to_string(group) + ".");
    options.activation_group = static_cast<int>(group);
}

void matmul_node::place_image(const OrtKernelInfo* info) {
    int constant = 0;
    const OrtValue* value = nullptr;
    check(api.KernelInfoGetConstantInput_tensor(info, 1, &constant, &value));
    if (constant == 0 || value == nullptr)
        fail(api, "W is no initializer, or one that is an input of the model as well.");
    const tensor image = read_tensor(api, value);
    if (image.dims.size() != 1)
        fail(api, "W has " + std::to_string(image.dims.size()) +
                      " dimensions; the bytes of a packed matrix have one.");
    std::span<const std::byte> bytes{static_cast<const std::byte*>(image.data), image.count};
    const std::string name = node_name(api, info);
    if (reinterpret_cast<std::uintptr_t>(image.data) % 64 == 0) {
        log(api, info, name + " uses its packed matrix in place.");
    } else {
        copy = trilobit::aligned_buffer(bytes.size());
        if (copy.size() != bytes.size()) throw std::bad_alloc();
        std::memcpy(copy.data(), bytes.data(), bytes.size());
        bytes = {copy.data(), copy.size()};
        log(api, info, name + " copied its packed matrix, which starts on no multiple of 64.");
    }
    const auto viewed = trilobit::view_packed(bytes);
    check(api, viewed.error());
    w = viewed.value();
}

void matmul_node::check_image(const OrtKernelInfo* info) const {
    const std::int64_t n = read_int(api, info, "N"), k = read_int(api, info, "K");
    if (w.rows != n || w.cols != k)
        fail(api, "The packed matrix has " + std::to_string(w.rows) + " rows and " +
                      std::to_string(w.cols) + " columns, N is " + std::to_string(n) +
                      " and K is " + std::to_string(k) + ".");
    // Whether there is a kernel at all, now and not in the first run.
    const trilobit::context once{*kernels, {}, options};
    const trilobit::product one{
        w, {[](const void*, const float*, std::int64_t, std::int64_t, int) {}, nullptr}};
    check(api, trilobit::plan::of(once, {&one, 1}, 1, 1).error());
}

const float* matmul_node::floats(const tensor& x, trilobit::workspace& memory) const {
    if (!is_half) return static_cast<const float*>(x.data);
    auto* const to = reinterpret_cast<float*>(
        memory.reserve(static_cast<std::int64_t>(x.count * sizeof(float))));
    if (to == nullptr) throw std::bad_alloc();
    halves->to_floats(static_cast<const std::uint16_t*>(x.data), to,
                      static_cast<std::int64_t>(x.count));
    return to;
}

void matmul_node::compute(OrtKernelContext* call) const {
    const std::optional<tensor> x = read_input(api, call, 0), bias = read_input(api, call, 2);
    if (!x || x->dims.empty() || x->dims.back() != w.cols)
        fail(api, "The last dimension of X is " +
                      (!x || x->dims.empty() ? "missing" : std::to_string(x->dims.back())) +
                      ", and K is " + std::to_string(w.cols) + ".");
    if (bias && (bias->dims.size() != 1 || bias->dims[0] != w.rows))
        fail(api, "The bias is no row of N = " + std::to_string(w.rows) + " numbers.");

    std::vector<std::int64_t> dims = x->dims;
    dims.back() = w.rows;
    OrtValue* output = nullptr;
    check(api.KernelContext_GetOutput(call, 0, dims.data(), dims.size(), &output));
    if (x->count == 0) return;
    const auto tokens = static_cast<std::int64_t>(x->count) / w.cols;
    void* y = nullptr;
    check(api.GetTensorMutableData(output, &y));

    std::unique_ptr<call_memory> memory = spare.take();
    const session_threads threads(api, call);
    trilobit::context context{*kernels, threads, options, std::move(memory->plan)};
    const trilobit::matrix_view<const float> in(floats(*x, memory->floats), tokens, w.cols);
    const auto multiply = [&]<class T>(T* to) {
        const auto* const add = bias ? static_cast<const T*>(bias->data) : nullptr;
        return trilobit::matmul(context, w, in, finish<T>{{to, tokens, w.rows}, add, halves});
    };
    const trilobit::status done =
        is_half ? multiply(static_cast<std::uint16_t*>(y)) : multiply(static_cast<float*>(y));
    memory->plan = std::move(context.scratch);
    spare.give(std::move(memory));
    check(api, done);
}

}  // namespace tbx::onnx
