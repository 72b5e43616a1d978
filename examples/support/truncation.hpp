// SPDX-License-Identifier: MIT
// Room support. Enters: what is mapped and what is being written. Leaves: one line and status 1
// when a mapped file is cut short by someone else, where the system would kill without a word. What
// is half written is removed, then and when a signal ends the program.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace tbx::support {

struct end_record;

/// Something that a sudden end has to know of, for as long as this lives.
class end_note {
    end_record* kept = nullptr;

    explicit end_note(end_record* made) noexcept : kept(made) {}

public:
    /// These bytes are a mapping of the file `path`.
    [[nodiscard]] static end_note mapping(std::span<const std::byte> bytes, std::string_view path);
    /// This file is half written: it is to be removed.
    [[nodiscard]] static end_note temporary(std::string_view path);

    end_note() = default;
    end_note(end_note&& other) noexcept : kept(std::exchange(other.kept, nullptr)) {}
    end_note& operator=(end_note&& other) noexcept {
        std::swap(kept, other.kept);
        return *this;
    }
    ~end_note();
};

/// Watches SIGBUS, SIGINT, SIGTERM and SIGHUP for as long as it lives, one at a time: main() has
/// one, a library none. SIGBUS has its old effect where its cause is not a mapped file; the others,
/// which an interrupt_watch may take over meanwhile, end the program as ever.
class truncation_watch {
public:
    /// `program` begins the line, as it begins every other.
    explicit truncation_watch(std::string_view program);
    truncation_watch(const truncation_watch&) = delete;
    truncation_watch& operator=(const truncation_watch&) = delete;
    ~truncation_watch();
};

}  // namespace tbx::support
