// SPDX-License-Identifier: MIT
// Room safetensors. Enters: tensors, whole. Leaves: a file as the format's own writer makes it:
// the header padded with spaces, so that data begins at a multiple of 8. For tests and fixtures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formats/bytes.hpp"
#include "safetensors/file.hpp"
#include "safetensors/json.hpp"
#include "support/atomic_file.hpp"

namespace tbx::safetensors {

class writer {
    json header = json::object();
    std::vector<std::byte> data;

public:
    /// `bytes` are those of the shape, in the format's order.
    void add(const std::string& name, dtype type, const std::vector<std::int64_t>& shape,
             std::span<const std::byte> bytes) {
        header[name] = {{"dtype", name_of(type)},
                        {"shape", shape},
                        {"data_offsets", {data.size(), data.size() + bytes.size()}}};
        data.insert(data.end(), bytes.begin(), bytes.end());
    }
    [[nodiscard]] std::vector<std::byte> bytes() const {
        std::string text = header.dump();
        text.append((8 - text.size() % 8) % 8, ' ');
        std::vector<std::byte> all(8 + text.size());
        formats::store_as(all.data(), static_cast<std::uint64_t>(text.size()));
        std::memcpy(all.data() + 8, text.data(), text.size());
        all.insert(all.end(), data.begin(), data.end());
        return all;
    }
    void save(std::string path) const {
        support::atomic_file out(std::move(path));
        out.write(bytes());
        out.commit();
    }
};

}  // namespace tbx::safetensors
