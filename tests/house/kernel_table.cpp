// SPDX-License-Identifier: MIT
// The table of kernels in docs/kernels.md is what the lists say. With --print, prints it.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <trilobit/kernel/all.hpp>

namespace {

using namespace trilobit;

/// Adds to a cell the families that any back end has for a layout and an activation.
template <class Layout, class Act, class... Families>
void add_families(type_list<Families...>, std::string& text) {
    std::string_view comma = " ";
    const auto add = [&]<class Family>() {
        const bool listed = any_type(archs{}, []<class Arch>() {
            return Family::template kernel<Arch, Layout, Act>::available;
        });
        if (!listed) return;
        constexpr kernel_id id = Family::template kernel<arch::generic, Layout, Act>::id;
        text += std::string(comma) + std::string(kernel_name(id));
        comma = ", ";
    };
    (add.template operator()<Families>(), ...);
}

/// Layouts down, activations across.
std::string kernel_table_text() {
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
            add_families<Layout, Act>(kernel::families{}, text);
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
