// SPDX-License-Identifier: MIT
// Tests of room tokenizer. Enters: a vocabulary with a user-defined token, and texts without it.
// Leaves: the ids that llama.cpp's llama-tokenize makes of each; or a loud skip.
#pragma once

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "../support/scratch_folder.hpp"
#include "tokenizer/vocabulary.hpp"

namespace tbx::testing {

/// User-defined in every vocabulary that is judged: what lies between is tokenised by itself, so
/// that one start of the program is enough for many texts.
inline const std::string border = "<|border|>";

[[nodiscard]] inline std::string llama_tokenize() {
    const std::string path = std::string(TRILOBIT_SOURCE_DIR) + "/build/rivals/bin/llama-tokenize";
    if (!std::filesystem::exists(path)) SKIP("not here (scripts/fetch-rivals): " + path);
    return path;
}

[[nodiscard]] inline std::vector<std::vector<tokenizer::token_id>> judged(
    const std::string& vocabulary, const std::vector<std::string>& texts,
    tokenizer::token_id border_id) {
    const std::string program = llama_tokenize();
    const scratch_folder at;
    std::string all;
    for (const std::string& text : texts) all += text + border;
    const std::string input = at.file("input", all), output = at.path("output");
    std::vector<std::vector<tokenizer::token_id>> result;
    // The program writes from a thread that ends with it, now and then before all is written.
    for (int attempt = 0; attempt < 8 && result.size() != texts.size(); ++attempt) {
        const std::string command = "'" + program + "' -m '" + vocabulary +
                                    "' --ids --no-bos --no-escape -f '" + input + "' >'" + output +
                                    "' 2>'" + at.path("log") + "'";
        const int status = std::system(command.c_str());
        std::ifstream log(at.path("log"));
        INFO(std::string(std::istreambuf_iterator<char>(log), {}));
        REQUIRE(status == 0);
        std::ifstream in(output);
        std::string list((std::istreambuf_iterator<char>(in)), {});
        list.erase(0, std::min(list.find('['), list.size()));
        std::replace_if(
            list.begin(), list.end(), [](char c) { return c == ',' || c == '[' || c == ']'; }, ' ');
        std::istringstream numbers(list);
        result.assign(1, {});
        for (tokenizer::token_id id = 0; numbers >> id;) {
            if (id == border_id)
                result.emplace_back();
            else
                result.back().push_back(id);
        }
        result.pop_back();
    }
    REQUIRE(result.size() == texts.size());
    return result;
}

}  // namespace tbx::testing
