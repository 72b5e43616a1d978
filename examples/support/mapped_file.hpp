// SPDX-License-Identifier: MIT
// Room support. Enters: the path of a regular file. Leaves: its bytes, mapped read-only for as long
// as the object lives; the address stays the same when the object is moved.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "support/truncation.hpp"

namespace tbx::support {

class mapped_file {
    std::string file_path;
    const std::byte* data = nullptr;
    std::size_t size = 0;
    int descriptor = -1;  // of a file with bytes, for require_whole()
    end_note note;

    void release() noexcept;

public:
    mapped_file() = default;
    /// Throws tbx::error when the path cannot be opened or is not a regular file. An empty file
    /// gives an empty span.
    explicit mapped_file(std::string path);
    mapped_file(mapped_file&& other) noexcept;
    mapped_file& operator=(mapped_file&& other) noexcept;
    ~mapped_file() { release(); }

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data, size}; }
    [[nodiscard]] const std::string& path() const noexcept { return file_path; }
    /// Throws tbx::error if the file has become shorter. What is missing of its last page reads as
    /// zeros; what is missing of others is for truncation_watch.
    void require_whole() const;
    /// Asks the system to read the whole file ahead, for a caller that will soon touch all of it.
    void will_need() const noexcept;
    /// Lets go of the memory of these bytes of it, for a caller that has read them once: they can
    /// be read again, at the price of the disk's.
    void forget(std::span<const std::byte> part) const noexcept;
};

}  // namespace tbx::support
