// SPDX-License-Identifier: MIT
// Room examples/model. Enters: the name of the library's back end. Leaves: the dense table that
// uses no instruction which that back end does not.
#include "model/dense_kernels.hpp"

namespace tbx::model {

extern const dense_kernels dense_generic;
#if defined(TBX_DENSE_X86)
extern const dense_kernels dense_avx2;
extern const dense_kernels dense_avx512;
#endif

std::string_view name_of(number_type type) noexcept {
    switch (type) {
        case number_type::f32:
            return "F32";
        case number_type::f16:
            return "F16";
        case number_type::bf16:
            return "BF16";
        case number_type::q8_0:
            return "Q8_0";
        case number_type::q6_k:
            return "Q6_K";
    }
    return "?";
}

const dense_kernels& dense_kernels_for([[maybe_unused]] std::string_view arch) noexcept {
#if defined(TBX_DENSE_X86)
    // Every processor with AVX2 has F16C, and with AVX-512 BW has F and VL: the library's back ends
    // of these names check for all of them.
    if (arch.starts_with("avx512") || arch == "amx") return dense_avx512;
    if (arch.starts_with("avx")) return dense_avx2;
#endif
    return dense_generic;
}

}  // namespace tbx::model
