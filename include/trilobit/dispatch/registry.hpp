// SPDX-License-Identifier: MIT
// Room dispatch. Enters: TRILOBIT_REGISTRY_ARCHS(X), the names of the arches that were compiled.
// Leaves: the definitions behind dispatch.hpp. Included by one generated source with baseline
// flags.
#pragma once

#ifndef TRILOBIT_REGISTRY_ARCHS
#error "Define TRILOBIT_REGISTRY_ARCHS(X) as X(generic) X(sse2) .. before including this."
#endif

#include "trilobit/version.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "trilobit/dispatch/cpu.hpp"
#include "trilobit/dispatch/dispatch.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::dispatch {

#define TRILOBIT_DECLARE_TABLE(name) extern const kernel_table table_##name;
TRILOBIT_REGISTRY_ARCHS(TRILOBIT_DECLARE_TABLE)
#undef TRILOBIT_DECLARE_TABLE

namespace {

#define TRILOBIT_LIST_TABLE(name) &table_##name,
constexpr const kernel_table* compiled[] = {TRILOBIT_REGISTRY_ARCHS(TRILOBIT_LIST_TABLE)};
#undef TRILOBIT_LIST_TABLE

struct runnable {
    std::array<const kernel_table*, std::size(compiled)> tables{};
    std::size_t count = 0;

    runnable() noexcept {
        const x86_features cpu = x86_features::detect();
        for (const kernel_table* t : compiled)
            if (cpu.has(t->name)) tables[count++] = t;
    }
};

const runnable& runnable_tables() noexcept {
    static const runnable found;
    return found;
}

/// The sentence for a name that cannot be served, composed once: it has to outlive every status.
const char* unknown_arch_text() noexcept {
    static const auto text = [] {
        std::array<char, 256> t{};
        int at = std::snprintf(
            t.data(), t.size(),
            "TRILOBIT_ARCH names no back end that this machine and this program have; there are:");
        for (const kernel_table* table : available())
            if (at > 0 && static_cast<std::size_t>(at) < t.size())
                at += std::snprintf(t.data() + at, t.size() - static_cast<std::size_t>(at), " %.*s",
                                    static_cast<int>(table->name.size()), table->name.data());
        return t;
    }();
    return text.data();
}

}  // namespace

std::span<const kernel_table* const> available() noexcept {
    const runnable& r = runnable_tables();
    return {r.tables.data(), r.count};
}

const kernel_table& best() noexcept {
    const auto all = available();
    return all.empty() ? *compiled[0] : *all.back();
}

result<const kernel_table*> find(std::string_view name) noexcept {
    for (const kernel_table* t : available())
        if (t->name == name) return t;
    return status{errc::unsupported, unknown_arch_text()};
}

result<const kernel_table*> active() noexcept {
    static const result<const kernel_table*> chosen = []() -> result<const kernel_table*> {
        const char* wanted = std::getenv("TRILOBIT_ARCH");
        if (wanted == nullptr || *wanted == '\0') return &best();
        return find(wanted);
    }();
    return chosen;
}

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#include "trilobit/core/end.hpp"
