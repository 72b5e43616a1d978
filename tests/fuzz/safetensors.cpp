// SPDX-License-Identifier: MIT
// Fuzz target: any bytes as a safetensors file. They are refused with a sentence, or every tensor
// lies inside and can be read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "safetensors/file.hpp"
#include "support/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tbx;
    try {
        const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
        const safetensors::file file("fuzz", bytes);
        volatile float sum = 0;
        for (const safetensors::tensor& t : file.tensors()) {
            if (file.find(t.name) != &t) std::abort();
            if (!safetensors::is_float(t.type)) continue;
            const auto count = static_cast<std::int64_t>(t.data.size() / bytes_of(t.type));
            for (std::int64_t i = 0; i < count; ++i) sum = sum + safetensors::value_at(t, i);
        }
    } catch (const error& e) {
        if (std::string(e.what()).find('\n') != std::string::npos) std::abort();
    }
    return 0;
}
