// SPDX-License-Identifier: MIT
// Room huggingface. Enters: modules.json. Leaves: a pooling; see pooling.hpp.
#include "huggingface/pooling.hpp"

#include <filesystem>

#include "gguf/quoted.hpp"
#include "huggingface/fields.hpp"
#include "support/error.hpp"

namespace tbx::huggingface {

namespace {

namespace fs = std::filesystem;
using safetensors::find;

constexpr std::uint64_t most_module = std::uint64_t{1} << 24;

std::string text_at(const json& module, const char* name) {
    const json* value = module.is_object() ? find(module, name) : nullptr;
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

// One of several flags, or a name in newer files.
pooling pooling_of(const std::string& path) {
    const json all = safetensors::read_json(path, most_module);
    fields f(all, path);
    std::string mode = f.text("pooling_mode").value_or("");
    for (const char* name : {"mean_tokens", "lasttoken", "cls_token", "max_tokens",
                             "mean_sqrt_len_tokens", "weightedmean_tokens"})
        if (const std::string flag = std::string("pooling_mode_") + name;
            f.flag(flag.c_str()).value_or(false)) {
            if (!mode.empty() && mode != name) f.refuse(flag.c_str(), "is not the only one");
            mode = name;
        }
    if (mode == "mean_tokens" || mode == "mean") return pooling::mean;
    if (mode == "lasttoken") return pooling::last;
    f.refuse("pooling_mode",
             "is " + gguf::quoted(mode) + "; only the mean and the last token are known");
}

}  // namespace

pooling read_pooling(const std::string& folder, const config& c) {
    const fs::path at(folder);
    const std::string list = (at / "modules.json").string();
    if (!fs::exists(list)) return c.input_norms ? pooling::last : pooling::unsaid;
    const json modules = safetensors::read_json(list, most_module);
    if (!modules.is_array()) throw error(list, "is no list of modules");
    pooling found = pooling::unsaid;
    for (const json& each : modules) {
        const std::string type = text_at(each, "type"), kind = type.substr(type.rfind('.') + 1),
                          path = text_at(each, "path");
        if (kind == "Transformer" || kind == "Normalize") continue;
        if (kind != "Pooling")
            throw error(list, "has a module of type " + gguf::quoted(type) +
                                  ", without which vectors would be others");
        if (path.empty() || path.find_first_of("/\\:.") != path.npos)
            throw error(list, "has a module in " + gguf::quoted(path) +
                                  ", which is no folder of this one");
        found = pooling_of((at / path / "config.json").string());
    }
    return found;
}

}  // namespace tbx::huggingface
