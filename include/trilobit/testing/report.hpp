// SPDX-License-Identifier: MIT
// Room testing. Enters: what a check found. Leaves: an answer that any test framework can assert:
// ok, or one sentence that names the first failure and everything needed to see it again.
#pragma once

#include "trilobit/version.hpp"

#include <string>
#include <utility>

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::testing {

struct [[nodiscard]] report {
    bool ok = true;
    std::string text;  ///< empty when ok

    static report failure(std::string sentence) { return {false, std::move(sentence)}; }
    explicit operator bool() const noexcept { return ok; }
};

}  // namespace trilobit::inline TRILOBIT_ABI::testing

#include "trilobit/core/end.hpp"
