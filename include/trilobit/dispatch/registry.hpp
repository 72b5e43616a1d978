// SPDX-License-Identifier: MIT
// Room dispatch. Enters: the tables of all instruction sets that were compiled. Leaves: the
// definitions behind per_arch.hpp. Included by one source with baseline flags, which says what
// compiled_tables are and instantiates per_arch.
#pragma once

#include "trilobit/version.hpp"

#include <array>
#include <concepts>
#include <cstdio>
#include <cstdlib>

#include "trilobit/dispatch/cpu.hpp"
#include "trilobit/dispatch/per_arch.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::dispatch {

/// `all`: pointers to the tables in this program, weakest first, one at least.
template <class Table, template <class> class Of>
struct compiled_tables;

template <class Table, template <class> class Of>
std::span<const Table* const> per_arch<Table, Of>::available() noexcept {
    struct runnable {
        std::array<const Table*, std::size(compiled_tables<Table, Of>::all)> tables{};
        std::size_t count = 0;
        runnable() noexcept {
            const cpu machine = cpu::detect();
            for (const Table* t : compiled_tables<Table, Of>::all)
                if (machine.has(t->name)) tables[count++] = t;
        }
    };
    static const runnable found;
    return {found.tables.data(), found.count};
}

template <class Table, template <class> class Of>
const Table& per_arch<Table, Of>::best() noexcept {
    const auto all = available();
    return all.empty() ? *compiled_tables<Table, Of>::all[0] : *all.back();
}

template <class Table, template <class> class Of>
result<const Table*> per_arch<Table, Of>::find(std::string_view arch) noexcept {
    for (const Table* t : available())
        if (t->name == arch) return t;
    // Composed once: the sentence has to outlive every status.
    static const auto text = [] {
        std::array<char, 256> composed{};
        int at = std::snprintf(
            composed.data(), composed.size(),
            "TRILOBIT_ARCH names no back end that this machine and this program have; there are:");
        for (const Table* t : available())
            if (at > 0 && static_cast<std::size_t>(at) < composed.size())
                at += std::snprintf(composed.data() + at,
                                    composed.size() - static_cast<std::size_t>(at), " %.*s",
                                    static_cast<int>(t->name.size()), t->name.data());
        return composed;
    }();
    return status{errc::unsupported, text.data()};
}

template <class Table, template <class> class Of>
result<const Table*> per_arch<Table, Of>::active() noexcept {
    static const result<const Table*> chosen = []() -> result<const Table*> {
        const char* wanted = std::getenv("TRILOBIT_ARCH");
        if (wanted == nullptr || *wanted == '\0') return &best();
        return find(wanted);
    }();
    return chosen;
}

template <class Table, template <class> class Of>
const Table& per_arch<Table, Of>::serving(std::string_view arch) noexcept {
    const Table* found = compiled_tables<Table, Of>::all[0];
    any_type(archs{}, [&]<class Wanted>() {
        if (Wanted::name != arch) return false;
        any_type(archs{}, [&]<class Served>() {
            if constexpr (std::derived_from<Wanted, Served>)
                for (const Table* t : compiled_tables<Table, Of>::all)
                    if (t->name == Served::name) found = t;
            return false;
        });
        return true;
    });
    return *found;
}

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#include "trilobit/core/end.hpp"
