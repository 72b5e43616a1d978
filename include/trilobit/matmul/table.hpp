// SPDX-License-Identifier: MIT
// Room matmul. Enters: the lists of layouts, activations and families. Leaves: for one arch, a
// table of kernels as plain function pointers: the seam that static and run-time dispatch share.
//
// Everything that crosses it is POD and knows no instruction set, so a translation unit compiled
// with AVX-512 flags exports one constant and nothing that another might merge with its own.
#pragma once

#include "trilobit/version.hpp"

#include <array>

#include "trilobit/activation/quantize.hpp"
#include "trilobit/kernel/all.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

struct kernel_entry {
    layout_id layout{};
    activation_id activation{};
    kernel_id kernel{};
    /// Can this kernel do a multiplication of these shapes? Groupings decide, never sizes: matrices
    /// that share activations share a kernel, whatever rows and columns each of them stores.
    bool (*accepts)(const packed_shape&, const activation_shape&) noexcept = nullptr;
    /// Relative cycles for each multiply-add, for choosing.
    double (*cost)(const packed_shape&, std::int64_t tokens) noexcept = nullptr;
    std::int64_t (*operand_bytes)(const packed_shape&, const activation_shape&) noexcept = nullptr;
    /// Makes the operand of tokens [begin, end); different tokens may be prepared at once.
    void (*prepare)(const kernel::task&, std::int64_t begin, std::int64_t end) noexcept = nullptr;
    /// Row blocks [b0, b1) of tokens [t0, t1); different row blocks may run at once.
    void (*run)(const kernel::task&, std::int64_t b0, std::int64_t b1, std::int64_t t0,
                std::int64_t t1) noexcept = nullptr;
    /// Tasks are a multiple of so many tokens, and of at most so many rows.
    kernel::task_shape unit;
    /// Of up to so many tokens each thread makes the operand for itself: it is so large that to
    /// fetch another's takes longer.
    int own_tokens = 0;
    /// Of task::scratch, for run().
    std::int64_t scratch_bytes = 0;
};

using quantize_function = status (*)(const activation_shape&, std::int64_t token, const float* x,
                                     std::int8_t* values, float* scales) noexcept;

struct kernel_table {
    std::string_view name;  ///< of the arch
    const kernel_entry* entries = nullptr;
    int count = 0;
    quantize_function quantize[activations::size] = {};  ///< by activation_id

    [[nodiscard]] const kernel_entry* begin() const noexcept { return entries; }
    [[nodiscard]] const kernel_entry* end() const noexcept { return entries + count; }
};

namespace detail {

template <class Kernel, class Layout, class Act>
constexpr kernel_entry entry_of() noexcept {
    return {Layout::id,
            Act::id,
            Kernel::id,
            &Kernel::accepts,
            &Kernel::cost,
            &Kernel::operand_bytes,
            &Kernel::prepare,
            &Kernel::run,
            Kernel::unit,
            Kernel::own_tokens,
            Kernel::scratch_bytes()};
}

}  // namespace detail

/// The kernels of one arch for some layouts; `table` is what the rest of the library takes.
template <class Arch, class... Layouts>
struct kernels_for {
    struct listed {
        std::array<kernel_entry, sizeof...(Layouts) * activations::size * kernel::families::size>
            entries;
        int count;
    };
    static constexpr listed all = [] {
        listed l{};
        any_type(type_list<Layouts...>{}, [&]<class Layout>() {
            return any_type(kernel::families{}, [&]<class Family>() {
                return any_type(activations{}, [&]<class Act>() {
                    using kernel = typename Family::template kernel<Arch, Layout, Act>;
                    if constexpr (kernel::available)
                        l.entries[static_cast<std::size_t>(l.count++)] =
                            detail::entry_of<kernel, Layout, Act>();
                    return false;
                });
            });
        });
        return l;
    }();
    static constexpr kernel_table table{
        Arch::name,
        all.entries.data(),
        all.count,
        {&quantize_token<activation::int8, Arch>, &quantize_token<activation::int4, Arch>,
         &quantize_token<activation::int2, Arch>, &quantize_token<activation::sign, Arch>}};
};

/// Every kernel of an arch, for all layouts of the library.
template <class Arch>
inline constexpr const kernel_table& kernel_table_of =
    []<class... Layouts>(type_list<Layouts...>) -> const kernel_table& {
    return kernels_for<Arch, Layouts...>::table;
}(layouts{});

/// The kernel that matmul() would take: the cheapest that accepts the shapes, or the named one.
/// Null when there is none.
inline const kernel_entry* choose_kernel(const kernel_table& table, const packed_shape& w,
                                         const activation_shape& x,
                                         kernel_id wanted = kernel_id::automatic) noexcept {
    const kernel_entry* best = nullptr;
    for (const kernel_entry& e : table) {
        if (e.layout != w.layout || e.activation != x.kind || !e.accepts(w, x)) continue;
        if (wanted != kernel_id::automatic && e.kernel != wanted) continue;
        if (best == nullptr || e.cost(w, x.tokens) < best->cost(w, x.tokens)) best = &e;
    }
    return best;
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
