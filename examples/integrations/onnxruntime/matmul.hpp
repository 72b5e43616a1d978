// SPDX-License-Identifier: MIT
// Room integrations. Enters: a node trilobit.MatMul of a session. Leaves: Y = X Wᵀ + bias.
//
//   inputs      X     float or float16, (.., K)
//               W     uint8, one dimension: a packed matrix of N rows and K columns, an initializer
//               bias  optional, of X's type, (N)
//   output      Y     of X's type, (.., N)
//   attributes  N, K, ints
//               activation   string, what X is rounded to: "int8", "int4", "int2" or "sign"
//               group        int, columns of X that share a scale: 0 (the whole token), 32 .. 256
#pragma once

#include <trilobit/dispatch/dispatch.hpp>

#include <cstddef>

#include "integrations/onnxruntime/halves.hpp"
#include "integrations/onnxruntime/runtime.hpp"

namespace tbx::onnx {

/// What the runtime is offered, one for each type of X.
struct matmul_op : OrtCustomOp {
    const OrtApi* api;
    ONNXTensorElementDataType type;

    matmul_op(const OrtApi& api, ONNXTensorElementDataType type) noexcept;
};

/// One node of one session. Runs of a session may call it at the same time.
class matmul_node {
    const OrtApi& api;
    bool is_half;
    const trilobit::kernel_table* kernels = nullptr;
    const tbx::onnx::halves* halves = nullptr;
    trilobit::matmul_options options;
    trilobit::aligned_buffer copy;  // of an image that starts on no multiple of 64
    trilobit::packed_view w;

    void read_options(const OrtKernelInfo* info);
    void place_image(const OrtKernelInfo* info);
    void check_image(const OrtKernelInfo* info) const;
    const float* floats(const tensor& x, trilobit::workspace& memory) const;

public:
    matmul_node(const matmul_op& op, const OrtKernelInfo* info);
    void compute(OrtKernelContext* context) const;
    [[nodiscard]] OrtStatus* run(OrtKernelContext* context) const noexcept {
        return guarded(api, [&] { compute(context); });
    }
};

}  // namespace tbx::onnx
