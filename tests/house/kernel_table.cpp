// SPDX-License-Identifier: MIT
// The table of kernels in docs/kernels.md is what the lists say. With --print, prints it.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <trilobit/dispatch/dispatch.hpp>

namespace {

/// Layouts down, activations across; in each cell the families of one back end, for any shape.
std::string kernel_table_text() {
    using namespace trilobit;
    const kernel_table& table = dispatch::best();
    std::string text = "| layout |";
    std::string rule = "|---|";
    any_type(activations{}, [&]<class Act>() {
        text += " " + std::string(Act::name) + " |";
        rule += "---|";
        return false;
    });
    text += "\n" + rule + "\n";
    any_type(layouts{}, [&]<class Layout>() {
        text += "| `" + std::string(Layout::name) + "` |";
        any_type(activations{}, [&]<class Act>() {
            std::string_view comma = " ";
            for (const kernel_entry& e : table) {
                if (e.layout != Layout::id || e.activation != Act::id) continue;
                text += std::string(comma) + std::string(kernel_name(e.kernel));
                comma = ", ";
            }
            text += " |";
            return false;
        });
        text += "\n";
        return false;
    });
    return text;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string wanted = kernel_table_text();
    if (argc == 2 && std::string_view(argv[1]) == "--print")
        return std::fputs(wanted.c_str(), stdout) < 0;
    if (argc != 2) return 2;
    std::ifstream file(argv[1]);
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    const std::string begin = "<!-- kernels:begin -->\n", end = "<!-- kernels:end -->";
    const auto from = page.find(begin), to = page.find(end);
    if (from == std::string::npos || to == std::string::npos)
        return std::puts("no table in the page"), 1;
    const std::string found = page.substr(from + begin.size(), to - from - begin.size());
    if (found == wanted) return 0;
    std::printf("docs/kernels.md has\n%sbut the lists say\n%s", found.c_str(), wanted.c_str());
    return 1;
}
