// SPDX-License-Identifier: MIT
// Room support. Enters: bytes, in order. Leaves: a file that appears under its name whole and on
// disk, or not at all: it is written beside its place and renamed by commit().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/truncation.hpp"

namespace tbx::support {

class atomic_file {
    std::string target;
    std::string temporary;  // empty once committed or moved from
    int descriptor = -1;
    std::uint64_t written = 0;
    std::vector<std::byte> buffer;
    end_note note;

    void flush();
    void discard() noexcept;
    [[noreturn]] void fail(std::string_view action);

public:
    /// Throws tbx::error when the directory cannot be written. An existing file of this name keeps
    /// its content until commit(). Of a symbolic link the file that it names is meant.
    explicit atomic_file(std::string path);
    atomic_file(atomic_file&& other) noexcept;
    atomic_file& operator=(atomic_file&&) = delete;
    ~atomic_file() { discard(); }

    void write(std::span<const std::byte> bytes);
    void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
    [[nodiscard]] std::uint64_t position() const noexcept { return written; }
    [[nodiscard]] const std::string& path() const noexcept { return target; }
    /// Flushes to disk and renames. Call once, last.
    void commit();
};

}  // namespace tbx::support
