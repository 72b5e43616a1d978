// SPDX-License-Identifier: MIT
// Benchmarks. Enters: the same shapes as int8 matrices. Leaves: rows of oneDNN, where CMake found
// it: what int8 costs when nothing knows that the weights are ternary.
//
// It gets its best case: unsigned activations, which are what the instructions multiply, weights
// already in the order that it asks for, int32 sums left as they are. Ours quantise the activations
// and scale the sums within the same time. The label is the instruction set in force; oneDNN uses
// AMX where the processor has it, unless ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI says otherwise.
#include "rows.hpp"

#if defined(TRILOBIT_BENCH_ONEDNN)
#include <dlfcn.h>

#include <dnnl.hpp>
#include <optional>
#include <random>

#include "trilobit/dispatch/dispatch.hpp"

namespace trilobit_bench {
namespace {

using dnnl::memory;

const dnnl::engine& cpu() {
    static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

const char* isa_in_force() {
    const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    const auto has = [isa](dnnl::cpu_isa wanted) {
        return (isa & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
    };
    return has(dnnl::cpu_isa::avx512_core_amx)    ? "amx"
           : has(dnnl::cpu_isa::avx512_core_vnni) ? "avx512vnni"
           : has(dnnl::cpu_isa::avx2_vnni)        ? "avxvnni"
           : has(dnnl::cpu_isa::avx2)             ? "avx2"
                                                  : "older";
}

/// oneDNN offers no number of threads; its OpenMP run time does. Which one that is, only the loader
/// knows: this program is not built for OpenMP.
bool use_threads(int count) {
    using setter = void (*)(int);
    const auto set = reinterpret_cast<setter>(::dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
    if (set != nullptr) set(count);
    return set != nullptr;
}

template <class Number>
memory random_matrix(const memory::desc& d, int least, int most) {
    memory m(d, cpu());
    std::minstd_rand bits(17);
    auto* values = static_cast<Number*>(m.get_data_handle());
    for (std::size_t i = 0; i < d.get_size(); ++i)
        values[i] = static_cast<Number>(least + static_cast<int>(bits() >> 8) % (most - least + 1));
    return m;
}

struct onednn_product {
    shape s;
    std::int64_t tokens;
    memory x, weights, y;
    dnnl::matmul multiply;
    bool right = false;
};

onednn_product make_onednn(const shape& s, std::int64_t tokens, dnnl::stream& stream) {
    using type = memory::data_type;
    using tag = memory::format_tag;
    const memory::desc x({tokens, s.cols}, type::u8, tag::ab);
    const memory::desc any({s.cols, s.rows}, type::s8, tag::any);
    const memory::desc y({tokens, s.rows}, type::s32, tag::ab);
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::matmul::primitive_desc chosen(cpu(), x, any, y);
#else
    const dnnl::matmul::primitive_desc chosen(dnnl::matmul::desc(x, any, y), cpu());
#endif
    memory plain = random_matrix<std::int8_t>({{s.cols, s.rows}, type::s8, tag::ba}, -1, 1);
    onednn_product p{s,
                     tokens,
                     random_matrix<std::uint8_t>(x, 0, 255),
                     memory(chosen.weights_desc(), cpu()),
                     memory(y, cpu()),
                     dnnl::matmul(chosen)};
    dnnl::reorder(plain, p.weights).execute(stream, plain, p.weights);
    stream.wait();

    p.multiply.execute(stream,
                       {{DNNL_ARG_SRC, p.x}, {DNNL_ARG_WEIGHTS, p.weights}, {DNNL_ARG_DST, p.y}});
    stream.wait();
    const auto* a = static_cast<const std::uint8_t*>(p.x.get_data_handle());
    const auto* b = static_cast<const std::int8_t*>(plain.get_data_handle());
    std::int32_t last = 0;
    for (std::int64_t k = 0; k < s.cols; ++k)
        last += a[(tokens - 1) * s.cols + k] * b[(s.rows - 1) * s.cols + k];
    p.right = static_cast<const std::int32_t*>(p.y.get_data_handle())[tokens * s.rows - 1] == last;
    return p;
}

void int8_matmul(benchmark::State& state, bench& b, const shape& s, std::int64_t tokens,
                 bool dram) {
    if (!use_threads(b.chosen.threads))
        return state.SkipWithError("this oneDNN has no OpenMP to tell the number of threads");
    static dnnl::stream stream(cpu());
    // Google Benchmark comes back to find the iterations.
    static std::optional<onednn_product> kept;
    if (!kept || kept->s.rows != s.rows || kept->s.cols != s.cols || kept->tokens != tokens)
        kept = make_onednn(s, tokens, stream);
    if (!kept->right) return state.SkipWithError("oneDNN's product is not the product");
    memory weights = kept->weights;
    const memory::desc form = weights.get_desc();
    if (dram) b.copies.hold(weights.get_data_handle(), form.get_size());

    measured did;
    const std::string_view best = trilobit::dispatch::best().name;
    did.peak = b.limits.peak(best);
    did.hertz = yardstick::hertz();
    did.read_gb_per_s = dram ? b.limits.read_gb_per_s() : b.limits.best_read().gb_per_s;
    stopwatch watch;
    for (auto _ : state) {
        if (dram) weights = memory(form, cpu(), const_cast<std::byte*>(b.copies.take()));
        watch.time([&] {
            kept->multiply.execute(
                stream,
                {{DNNL_ARG_SRC, kept->x}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, kept->y}});
            stream.wait();
        });
    }
    did.peak = (did.peak + b.limits.peak(best)) / 2;
    if (dram) did.read_gb_per_s = (did.read_gb_per_s + b.limits.read_gb_per_s()) / 2;
    did.seconds = watch.median();
    did.macs = static_cast<double>(tokens * s.rows * s.cols);
    did.bytes = static_cast<double>(form.get_size());
    set_counters(state, b.limits, did);
    state.SetLabel(isa_in_force());
}

}  // namespace

void register_onednn(bench& b) { register_rival(b, "onednn-u8s8", int8_matmul); }

}  // namespace trilobit_bench
#else
namespace trilobit_bench {
void register_onednn(bench&) {}
}  // namespace trilobit_bench
#endif
