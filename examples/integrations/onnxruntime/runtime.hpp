// SPDX-License-Identifier: MIT
// Room integrations. Enters: ONNX Runtime's C API. Leaves: its errors and ours as one exception,
// which no call of the runtime's ever sees, and tensors as pointers and dimensions.
#pragma once

#include <onnxruntime_c_api.h>

#include <trilobit/core/status.hpp>

#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <vector>

namespace tbx::onnx {

/// All that we call is of this version or older: every runtime from 1.17 on has it.
inline constexpr std::uint32_t api_version = 17;

struct failure {
    OrtStatus* status;
};

inline void check(OrtStatus* status) {
    if (status != nullptr) throw failure{status};
}

[[noreturn]] inline void fail(const OrtApi& api, const std::string& text,
                              OrtErrorCode code = ORT_INVALID_ARGUMENT) {
    throw failure{api.CreateStatus(code, text.c_str())};
}

inline void check(const OrtApi& api, const trilobit::status& s) {
    using enum trilobit::errc;
    if (s.ok()) return;
    fail(api, s.text,
         s.code == out_of_memory ? ORT_FAIL
         : s.code == unsupported ? ORT_NOT_IMPLEMENTED
                                 : ORT_INVALID_ARGUMENT);
}

/// f(), and what it threw as the runtime wants it: null where all went well.
template <class F>
OrtStatus* guarded(const OrtApi& api, F f) noexcept {
    try {
        f();
        return nullptr;
    } catch (const failure& e) {
        return e.status;
    } catch (const std::bad_alloc&) {
        return api.CreateStatus(ORT_FAIL, "There is not enough memory for this node.");
    } catch (...) {
        return api.CreateStatus(ORT_FAIL, "The system refused what this node needs.");
    }
}

struct tensor {
    std::vector<std::int64_t> dims;
    std::size_t count = 0;  // of elements
    const void* data = nullptr;
};

inline tensor read_tensor(const OrtApi& api, const OrtValue* value) {
    OrtTensorTypeAndShapeInfo* info = nullptr;
    check(api.GetTensorTypeAndShape(value, &info));
    tensor t;
    OrtStatus* const failed = guarded(api, [&] {
        std::size_t rank = 0;
        check(api.GetDimensionsCount(info, &rank));
        t.dims.resize(rank);
        check(api.GetDimensions(info, t.dims.data(), rank));
        check(api.GetTensorShapeElementCount(info, &t.count));
    });
    api.ReleaseTensorTypeAndShapeInfo(info);
    check(failed);
    void* data = nullptr;
    check(api.GetTensorMutableData(const_cast<OrtValue*>(value), &data));
    t.data = data;
    return t;
}

inline std::string node_name(const OrtApi& api, const OrtKernelInfo* info) {
    std::size_t size = 0;
    check(api.KernelInfo_GetNodeName(info, nullptr, &size));
    std::string name(size, '\0');
    check(api.KernelInfo_GetNodeName(info, name.data(), &size));
    return name.c_str();
}

/// None where an optional input is left out.
inline std::optional<tensor> read_input(const OrtApi& api, const OrtKernelContext* context,
                                        std::size_t index) {
    std::size_t count = 0;
    check(api.KernelContext_GetInputCount(context, &count));
    const OrtValue* value = nullptr;
    if (index < count) check(api.KernelContext_GetInput(context, index, &value));
    if (value == nullptr) return std::nullopt;
    return read_tensor(api, value);
}

}  // namespace tbx::onnx
