// SPDX-License-Identifier: MIT
// Room integrations. Enters: the shared library of any ONNX Runtime, models with one input X of
// floats and one output. Leaves: milliseconds of a run of each, medians of rounds that take turns.
//   onnxruntime-bench RUNTIME.so libonnxruntime-trilobit.so THREADS TOKENS COLS MODEL...
// Beside each: how far its output is from the first one's, as a part of its largest number.
// lut:MODEL asks the runtime for its kernels of lookup tables.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "integrations/onnxruntime/runtime.hpp"

namespace {

const OrtApi* api = nullptr;

void must(OrtStatus* s) {
    if (s == nullptr) return;
    std::fprintf(stderr, "%s\n", api->GetErrorMessage(s));
    std::exit(1);
}

struct model {
    OrtSession* session = nullptr;
    char* output = nullptr;

    std::vector<float> numbers;  // of the last output

    void remember(OrtValue* y) {
        const auto t = tbx::onnx::read_tensor(*api, y);
        const auto* const first = static_cast<const float*>(t.data);
        numbers.assign(first, first + t.count);
    }
    double run(const OrtValue* x, int times) {
        const char *in = "X", *const out[] = {output};
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < times; ++i) {
            OrtValue* y = nullptr;
            must(api->Run(session, nullptr, &in, &x, 1, out, 1, &y));
            if (times == 1) remember(y);
            api->ReleaseValue(y);
        }
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                   .count() /
               times;
    }
};

/// Of two outputs, the largest difference as a part of the largest number.
double difference(const std::vector<float>& a, const std::vector<float>& b) {
    double most = 0, largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        largest = std::max(largest, std::abs(double{a[i]}));
        most = std::max(most, std::abs(double{a[i]} - double{b[i]}));
    }
    return most / largest;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 7) return std::puts("RUNTIME OPERATORS THREADS TOKENS COLS MODEL..."), 2;
    void* const runtime = dlopen(argv[1], RTLD_NOW);
    if (runtime == nullptr) return std::fprintf(stderr, "%s\n", dlerror()), 1;
    const auto base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(runtime, "OrtGetApiBase"));
    if (base == nullptr) return std::fprintf(stderr, "%s\n", dlerror()), 1;
    api = base()->GetApi(tbx::onnx::api_version);
    if (api == nullptr) return 1;
    const std::int64_t shape[] = {std::atoll(argv[4]), std::atoll(argv[5])};

    OrtEnv* env = nullptr;
    must(api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "bench", &env));
    OrtSessionOptions* options = nullptr;
    must(api->CreateSessionOptions(&options));
    must(api->SetIntraOpNumThreads(options, std::atoi(argv[3])));
    must(api->RegisterCustomOpsLibrary_V2(options, argv[2]));
    OrtAllocator* allocator = nullptr;
    must(api->GetAllocatorWithDefaultOptions(&allocator));
    std::vector<model> models(static_cast<std::size_t>(argc - 6));
    OrtSessionOptions* tables = nullptr;
    must(api->CloneSessionOptions(options, &tables));
    must(api->AddSessionConfigEntry(tables, "mlas.use_lut_gemm", "1"));
    for (std::size_t i = 0; i < models.size(); ++i) {
        const std::string name = argv[6 + i];
        const bool lut = name.starts_with("lut:");
        must(api->CreateSession(env, name.c_str() + (lut ? 4 : 0), lut ? tables : options,
                                &models[i].session));
        must(api->SessionGetOutputName(models[i].session, 0, allocator, &models[i].output));
    }

    std::vector<float> numbers(static_cast<std::size_t>(shape[0] * shape[1]));
    std::minstd_rand bits(7);
    for (float& v : numbers) v = std::normal_distribution<float>()(bits);
    OrtMemoryInfo* memory = nullptr;
    must(api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
    OrtValue* x = nullptr;
    must(api->CreateTensorWithDataAsOrtValue(memory, numbers.data(), numbers.size() * sizeof(float),
                                             shape, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &x));

    constexpr int rounds = 9;
    std::vector<std::vector<double>> took(models.size());
    for (int round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < models.size(); ++i) {
            const double once = models[i].run(x, 1);
            took[i].push_back(models[i].run(x, std::clamp(static_cast<int>(100 / once), 1, 500)));
        }
    std::printf("%s, %s threads, %s tokens\n", base()->GetVersionString(), argv[3], argv[4]);
    for (std::size_t i = 0; i < models.size(); ++i) {
        std::sort(took[i].begin(), took[i].end());
        std::printf("  %9.3f ms (%.3f to %.3f), %.0e from the first  %s\n", took[i][rounds / 2],
                    took[i].front(), took[i].back(),
                    difference(models[0].numbers, models[i].numbers), argv[6 + i]);
    }
}
