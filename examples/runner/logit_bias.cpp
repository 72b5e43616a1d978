// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: texts. Leaves: biases; see logit_bias.hpp.
#include "runner/logit_bias.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "support/error.hpp"
#include "support/names.hpp"
#include "support/whole_number.hpp"

namespace tbx::runner {
namespace {

constexpr float largest = 1000.0f;

std::optional<float> number_of(std::string_view text) {
    if (text == "-inf") return -std::numeric_limits<float>::infinity();
    if (text.starts_with('+')) text.remove_prefix(1);
    float value = 0;
    const char* const last = text.data() + text.size();
    const auto [end, problem] = std::from_chars(text.data(), last, value);
    if (problem != std::errc() || end != last || !(std::fabs(value) <= largest))
        return std::nullopt;
    return value;
}

std::string ids_listed(std::span<const tokenizer::token_id> ids) {
    std::vector<std::string> texts;
    for (const auto id : ids) texts.push_back(std::to_string(id));
    return support::listed(texts);
}

// A byte's token is written only where the text has no other.
tokenizer::token_id find_token(const tokenizer::tokenizer& words, const std::string& text) {
    const tokenizer::vocabulary& all = words.vocab();
    std::string digits = text;
    if (support::make_decimal<tokenizer::token_id>(digits, 0, all.size() - 1).empty())
        return std::stoi(digits);
    std::vector<tokenizer::token_id> same;
    for (tokenizer::token_id id = 0; id < all.size(); ++id)
        if (all.kind(id) != tokenizer::token_kind::byte && words.decode(id, true) == text)
            same.push_back(id);
    if (same.size() == 1) return same[0];
    if (!same.empty())
        throw error("--logit-bias",
                    "'" + text + "' is the text of several tokens: " + ids_listed(same));
    throw error("--logit-bias",
                "'" + text + "' is no token; it is made of " +
                    ids_listed(words.encode(text, {.add_bos = false, .add_eos = false})));
}

}  // namespace

std::string check_logit_bias(const std::string& text) {
    const std::size_t equals = text.rfind('=');
    if (equals != text.npos && equals > 0 && number_of(text.substr(equals + 1))) return {};
    return "'" + text + "' is not TOKEN=BIAS with a number from -1000 to 1000, or -inf";
}

std::vector<model::logit_bias> find_logit_biases(const tokenizer::tokenizer& words,
                                                 std::span<const std::string> texts) {
    std::vector<model::logit_bias> found;
    for (const std::string& text : texts) {
        const std::size_t equals = text.rfind('=');
        found.push_back({find_token(words, text.substr(0, equals)),
                         number_of(text.substr(equals + 1)).value_or(0.0f)});
    }
    return found;
}

}  // namespace tbx::runner
