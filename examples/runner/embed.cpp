// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: texts. Leaves: a vector of length 1 for each, as a line of numbers
// or as JSON.
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "model/pooling.hpp"
#include "runner/commands.hpp"
#include "runner/prompt.hpp"
#include "runner/session.hpp"
#include "support/lines.hpp"

namespace tbx::runner {
namespace {

using model::pooling_rule;

struct embed_options {
    model_options model;
    prompt_options prompt;
    std::string pre, pooling;
    bool json = false;
};

const std::map<std::string, pooling_rule>& pooling_rules() {
    static const std::map<std::string, pooling_rule> all = {{"last", pooling_rule::last},
                                                            {"mean", pooling_rule::mean}};
    return all;
}

// One text, or those of a file's lines that are not empty.
std::vector<std::string> texts_of(const prompt_options& prompt) {
    std::string all = prompt.read();
    if (prompt.text) return {std::move(all)};
    std::vector<std::string> texts;
    for (std::string_view rest = all; !rest.empty();)
        if (const std::string_view line = support::next_line(rest); !line.empty())
            texts.emplace_back(line);
    if (texts.empty()) throw error(prompt.source(), "it holds no text");
    return texts;
}

void print(const std::vector<float>& vector) {
    for (std::size_t i = 0; i < vector.size(); ++i)
        (void)std::printf("%s%.9g", i == 0 ? "" : " ", double{vector[i]});
    (void)std::printf("\n");
}

void run(const embed_options& o) {
    const std::vector<std::string> texts = texts_of(o.prompt);
    session s(o.model);
    const pooling_rule rule =
        o.pooling.empty() ? s.model.config.pooling : pooling_rules().at(o.pooling);
    if (rule == pooling_rule::none)
        s.file.fail("does not say how vectors are pooled; --pooling last or mean does");
    const auto words = s.open_tokenizer(o.pre);
    auto all = nlohmann::ordered_json::array();
    for (const std::string& text : texts) {
        const auto ids = words.encode(text, {});
        if (std::ssize(ids) > s.state.cache.capacity())
            throw error(o.prompt.source(), "a text of " + std::to_string(ids.size()) +
                                               " tokens does not fit the context of " +
                                               std::to_string(s.state.cache.capacity()));
        const auto vector = model::text_vector(s.cpu, s.model, s.state, ids, rule);
        if (!o.json)
            print(vector);
        else
            all.push_back({{"text", text}, {"tokens", ids.size()}, {"vector", vector}});
    }
    if (o.json)
        (void)std::printf(
            "%s\n", all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

}  // namespace

void add_embed(CLI::App& app) {
    const auto o = std::make_shared<embed_options>();
    CLI::App* command =
        app.add_subcommand("embed", "Print a vector for a text, or for each line of a file");
    o->model.add_to(*command);
    o->prompt.add_to(*command);
    add_pre(*command, o->pre);
    command
        ->add_option("--pooling", o->pooling,
                     "What makes tokens one vector: last or mean [what the file says]")
        ->type_name("NAME")
        ->check(CLI::IsMember({"last", "mean"}));
    command->add_flag("--json", o->json, "One JSON array of objects instead of lines");
    command->callback([o] {
        if (!o->prompt.given()) throw CLI::RequiredError("--prompt or --file");
        run(*o);
    });
}

}  // namespace tbx::runner
