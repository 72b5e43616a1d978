// SPDX-License-Identifier: MIT
// Room train: bfloat16 products by oneDNN, compiled only with TRILOBIT_TRAIN_ONEDNN.
// Enters: shapes and operands of gemm.hpp.
// Leaves: the product; primitives are made once per shape and kept.
#include <dnnl.hpp>
#include <map>
#include <tuple>

#include "train/gemm.hpp"

namespace tbx::train {
namespace {

using dnnl::memory;

struct product {
    memory::desc a, b, c;
    dnnl::matmul op;
};

memory::desc described(int rows, int cols, bool transposed, int ld, memory::data_type type) {
    const memory::dims strides =
        transposed ? memory::dims{1, ld} : memory::dims{static_cast<memory::dim>(ld), 1};
    return {{rows, cols}, type, strides};
}

product make(const gemm_shape& s, const dnnl::engine& engine) {
    product p;
    p.a = described(s.m, s.k, s.ta, s.lda, memory::data_type::bf16);
    p.b = described(s.k, s.n, s.tb, s.ldb, memory::data_type::bf16);
    p.c = described(s.m, s.n, false, s.ldc, memory::data_type::f32);
    dnnl::primitive_attr attributes;
    if (s.accumulate) {
        dnnl::post_ops sum;
        sum.append_sum(1.0f);
        attributes.set_post_ops(sum);
    }
#if DNNL_VERSION_MAJOR >= 3
    p.op = dnnl::matmul({engine, p.a, p.b, p.c, attributes});
#else
    p.op = dnnl::matmul(dnnl::matmul::primitive_desc({p.a, p.b, p.c}, attributes, engine));
#endif
    return p;
}

}  // namespace

void onednn_backend::gemm(const gemm_shape& s, const store* a, const store* b, float* c) {
    static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    thread_local dnnl::stream stream(engine);
    thread_local std::map<std::tuple<bool, bool, int, int, int, int, int, int, bool>, product> made;
    const auto key = std::make_tuple(s.ta, s.tb, s.m, s.n, s.k, s.lda, s.ldb, s.ldc, s.accumulate);
    auto found = made.find(key);
    if (found == made.end()) found = made.emplace(key, make(s, engine)).first;
    product& p = found->second;
    p.op.execute(stream, {{DNNL_ARG_SRC, memory(p.a, engine, const_cast<store*>(a))},
                          {DNNL_ARG_WEIGHTS, memory(p.b, engine, const_cast<store*>(b))},
                          {DNNL_ARG_DST, memory(p.c, engine, c)}});
    stream.wait();
}

}  // namespace tbx::train
