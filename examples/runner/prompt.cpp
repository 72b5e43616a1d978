// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: options. Leaves: a text; see prompt.hpp.
#include "runner/prompt.hpp"

#include <fstream>
#include <iostream>

#include "support/lines.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

// Not mapped: a file may be a pipe.
std::string read_whole(std::istream& in, const std::string& name) {
    return std::string(support::utf8_text(support::read_all(in, name), name));
}

bool is_stream(const std::optional<std::string>& where) { return where == "-"; }

}  // namespace

void prompt_options::add_to(CLI::App& command) {
    CLI::Option* p = command.add_option("-p,--prompt", text, "The text; - is standard input");
    CLI::Option* f = command.add_option("-f,--file", file, "A file that holds it, or -");
    p->type_name("TEXT")->excludes(f);
    f->type_name("FILE");
}

std::string prompt_options::source() const {
    if (file && !is_stream(file)) return *file;
    return text && !is_stream(text) ? "--prompt" : "standard input";
}

std::string prompt_options::read() const {
    if (text && !is_stream(text)) return *text;
    if (!file || is_stream(file)) return read_whole(std::cin, source());
    std::ifstream in(*file, std::ios::binary);
    if (!in) throw error(*file, "it cannot be opened");
    return read_whole(in, *file);
}

std::string prompt_options::read_lines() const {
    if (text && !is_stream(text)) return *text;
    if (!given() && support::is_terminal(0)) return {};
    const std::string all = read();
    std::string lines;
    std::string_view rest = all;
    while (!rest.empty()) {
        lines += support::next_line(rest);
        if (!rest.empty()) lines += '\n';
    }
    return lines;
}

}  // namespace tbx::runner
