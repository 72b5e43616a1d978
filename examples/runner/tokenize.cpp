// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: text. Leaves: token ids, separated by commas.
#include <cstdio>
#include <memory>
#include <string>

#include "gguf/reader.hpp"
#include "runner/commands.hpp"
#include "runner/generate.hpp"
#include "runner/prompt.hpp"
#include "tokenizer/tokenizer.hpp"

namespace tbx::runner {
namespace {

struct tokenize_options {
    std::string model, pre;
    std::vector<gguf::read_as> read_as = {};
    prompt_options prompt;
    bool no_special = false;
    bool no_bos = false;
    bool pieces = false;
};

void run(const tokenize_options& o) {
    const gguf::reader model(o.model, o.read_as);
    const auto words = tokenizer::tokenizer::from_gguf(model, o.pre);
    tokenizer::encode_options how;
    if (o.no_special) how = {.add_bos = false, .add_eos = false, .parse_special = false};
    if (o.no_bos) how.add_bos = false;
    const auto ids = words.encode(o.prompt.read(), how);
    if (!o.no_bos) warn_of_doubled_begin(words.vocab(), ids);
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (o.pieces)
            (void)std::printf("%d\t%s\n", ids[i], std::string(words.vocab().text(ids[i])).c_str());
        else
            (void)std::printf("%s%d", i == 0 ? "" : ",", ids[i]);
    if (!o.pieces) (void)std::printf("\n");
}

}  // namespace

void add_tokenize(CLI::App& app) {
    const auto o = std::make_shared<tokenize_options>();
    CLI::App* command = app.add_subcommand("tokenize", "Print the token ids of a text");
    command->add_option("-m,--model", o->model, "GGUF file")->required()->type_name("FILE");
    o->prompt.add_to(*command);
    command->add_flag("--no-special", o->no_special,
                      "Neither add special tokens nor recognise them in the text");
    command->add_flag("--pieces", o->pieces, "One token a line, with its text");
    command->add_flag("--no-bos", o->no_bos, "Do not add the begin token");
    add_pre(*command, o->pre);
    add_read_as(*command, o->read_as);
    command->callback([o] {
        if (!o->prompt.given()) throw CLI::RequiredError("--prompt or --file");
        run(*o);
    });
}

}  // namespace tbx::runner
