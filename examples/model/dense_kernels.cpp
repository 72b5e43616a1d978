// SPDX-License-Identifier: MIT
// Room examples/model. Enters: the name of the library's back end. Leaves: the dense table that
// uses no instruction which that back end does not.
#include "model/dense_kernels.hpp"

#include <trilobit/dispatch/per_arch.hpp>

namespace tbx::model {

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
        case number_type::q4_0:
            return "Q4_0";
        case number_type::iq4_nl:
            return "IQ4_NL";
        case number_type::q4_k:
            return "Q4_K";
        case number_type::q5_k:
            return "Q5_K";
    }
    return "?";
}

const dense_kernels& dense_kernels_for(std::string_view arch) noexcept {
    return trilobit::dispatch::per_arch<dense_kernels, dense_of>::serving(arch);
}

}  // namespace tbx::model
