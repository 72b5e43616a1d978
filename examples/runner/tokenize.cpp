// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: text. Leaves: token ids, separated by commas.
#include <cstdio>
#include <memory>
#include <string>

#include "gguf/reader.hpp"
#include "runner/commands.hpp"
#include "support/mapped_file.hpp"
#include "tokenizer/tokenizer.hpp"

namespace tbx::runner {
namespace {

struct tokenize_options {
    std::string model, prompt, file;
    bool no_special = false;
    bool pieces = false;
};

void run(const tokenize_options& o) {
    const gguf::reader model(o.model);
    const auto words = tokenizer::tokenizer::from_gguf(model);
    support::mapped_file file;
    std::string_view text = o.prompt;
    if (!o.file.empty()) {
        file = support::mapped_file(o.file);
        text = {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
    }
    tokenizer::encode_options how;
    if (o.no_special) how = {.add_bos = false, .add_eos = false, .parse_special = false};
    const auto ids = words.encode(text, how);
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
    auto* prompt = command->add_option("-p,--prompt", o->prompt, "The text")->type_name("TEXT");
    auto* file =
        command->add_option("-f,--file", o->file, "A file that holds it")->type_name("FILE");
    prompt->excludes(file);
    command->add_flag("--no-special", o->no_special,
                      "Neither add special tokens nor recognise them in the text");
    command->add_flag("--pieces", o->pieces, "One token a line, with its text");
    command->callback([o, prompt, file] {
        if (prompt->count() + file->count() == 0) throw CLI::RequiredError("--prompt or --file");
        run(*o);
    });
}

}  // namespace tbx::runner
