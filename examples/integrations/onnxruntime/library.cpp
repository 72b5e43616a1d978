// SPDX-License-Identifier: MIT
// Room integrations. Enters: the runtime that loaded us. Leaves: the domain `trilobit` with its
// operator MatMul, once for float and once for float16.
#include <list>
#include <mutex>

#include "integrations/onnxruntime/matmul.hpp"

namespace tbx::onnx {

namespace {

const matmul_op& of(const OrtCustomOp* op) noexcept { return *static_cast<const matmul_op*>(op); }

/// The error with the node's name before it, as the runtime has it when nodes run.
OrtStatus* named(const OrtApi& api, const OrtKernelInfo* info, OrtStatus* problem) noexcept {
    if (problem == nullptr) return nullptr;
    OrtStatus* const better = guarded(api, [&] {
        fail(api, node_name(api, info) + ": " + api.GetErrorMessage(problem),
             api.GetErrorCode(problem));
    });
    api.ReleaseStatus(problem);
    return better;
}

/// What Y looks like, where X's dimensions are known or have names. The runtime asks one of the two
/// operators for both types.
void infer_shape(const matmul_op& op, OrtShapeInferContext* context) {
    const OrtApi& api = *op.api;
    const OrtOpAttr* rows = nullptr;
    check(api.ShapeInferContext_GetAttribute(context, "N", &rows));
    std::int64_t n = 0;
    std::size_t size = 0;
    check(api.ReadOpAttr(rows, ORT_OP_ATTR_INT, &n, sizeof n, &size));
    OrtTensorTypeAndShapeInfo* x = nullptr;  // the context's own
    check(api.ShapeInferContext_GetInputTypeShape(context, 0, &x));
    ONNXTensorElementDataType type{};
    check(api.GetTensorElementType(x, &type));
    std::size_t rank = 0;
    check(api.GetDimensionsCount(x, &rank));
    if (rank == 0) return;  // unknown, or a scalar, which compute() refuses
    std::vector<std::int64_t> dims(rank);
    std::vector<const char*> names(rank, "");
    check(api.GetDimensions(x, dims.data(), rank));
    check(api.GetSymbolicDimensions(x, names.data(), rank));
    dims.back() = n;
    names.back() = "";
    for (std::size_t i = 0; i < rank; ++i)
        if (dims[i] < 0 && *names[i] == '\0') return;

    OrtTensorTypeAndShapeInfo* y = nullptr;
    check(api.CreateTensorTypeAndShapeInfo(&y));
    OrtStatus* const failed = guarded(api, [&] {
        check(api.SetTensorElementType(y, type));
        check(api.SetDimensions(y, dims.data(), rank));
        check(api.SetSymbolicDimensions(y, names.data(), rank));
        check(api.ShapeInferContext_SetOutputTypeShape(context, 0, y));
    });
    api.ReleaseTensorTypeAndShapeInfo(y);
    check(failed);
}

/// A runtime, of which a process may have several, and what it was given.
struct registration {
    const OrtApi& api;
    matmul_op floats{api, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT};
    matmul_op halves{api, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16};
    OrtCustomOpDomain* domain = nullptr;

    explicit registration(const OrtApi& of) : api(of) {
        check(api.CreateCustomOpDomain("trilobit", &domain));
        check(api.CustomOpDomain_Add(domain, &floats));
        check(api.CustomOpDomain_Add(domain, &halves));
    }
    registration(const registration&) = delete;
    ~registration() { api.ReleaseCustomOpDomain(domain); }
};

void give_operators(const OrtApi& api, OrtSessionOptions* options) {
    static std::mutex guard;
    static std::list<registration> all;  // until the library is unloaded
    const std::lock_guard lock(guard);
    for (const registration& r : all)
        if (&r.api == &api) return check(api.AddCustomOpDomain(options, r.domain));
    check(api.AddCustomOpDomain(options, all.emplace_back(api).domain));
}

}  // namespace

matmul_op::matmul_op(const OrtApi& a, ONNXTensorElementDataType t) noexcept
    : OrtCustomOp{}, api(&a), type(t) {
    version = api_version;
    GetName = [](const OrtCustomOp*) { return "MatMul"; };
    GetExecutionProviderType = [](const OrtCustomOp*) -> const char* { return nullptr; };
    GetInputTypeCount = [](const OrtCustomOp*) -> std::size_t { return 3; };
    GetOutputTypeCount = [](const OrtCustomOp*) -> std::size_t { return 1; };
    GetInputType = [](const OrtCustomOp* op, std::size_t i) {
        return i == 1 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 : of(op).type;
    };
    GetOutputType = [](const OrtCustomOp* op, std::size_t) { return of(op).type; };
    GetInputCharacteristic = [](const OrtCustomOp*, std::size_t i) {
        return i == 2 ? INPUT_OUTPUT_OPTIONAL : INPUT_OUTPUT_REQUIRED;
    };
    GetOutputCharacteristic = [](const OrtCustomOp*, std::size_t) { return INPUT_OUTPUT_REQUIRED; };
    GetInputMemoryType = [](const OrtCustomOp*, std::size_t) { return OrtMemTypeDefault; };
    GetVariadicInputMinArity = [](const OrtCustomOp*) { return 1; };
    GetVariadicInputHomogeneity = [](const OrtCustomOp*) { return 1; };
    GetVariadicOutputMinArity = [](const OrtCustomOp*) { return 1; };
    GetVariadicOutputHomogeneity = [](const OrtCustomOp*) { return 1; };
    CreateKernelV2 = [](const OrtCustomOp* op, const OrtApi*, const OrtKernelInfo* info,
                        void** kernel) -> OrtStatusPtr {
        return named(*of(op).api, info,
                     guarded(*of(op).api, [&] { *kernel = new matmul_node(of(op), info); }));
    };
    KernelComputeV2 = [](void* kernel, OrtKernelContext* context) -> OrtStatusPtr {
        return static_cast<const matmul_node*>(kernel)->run(context);
    };
    KernelDestroy = [](void* kernel) { delete static_cast<matmul_node*>(kernel); };
    InferOutputShapeFn = [](const OrtCustomOp* op, OrtShapeInferContext* context) -> OrtStatusPtr {
        return guarded(*of(op).api, [&] { infer_shape(of(op), context); });
    };
}

}  // namespace tbx::onnx

/// What SessionOptions.register_custom_ops_library() looks for.
extern "C" __attribute__((visibility("default"))) OrtStatus* RegisterCustomOps(
    OrtSessionOptions* options, const OrtApiBase* base) {
    const OrtApi* const api = base->GetApi(tbx::onnx::api_version);
    if (api == nullptr)
        return base->GetApi(1)->CreateStatus(ORT_NOT_IMPLEMENTED,
                                             "trilobit needs ONNX Runtime 1.17 or newer.");
    return tbx::onnx::guarded(*api, [&] { tbx::onnx::give_operators(*api, options); });
}
