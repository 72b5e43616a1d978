// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: keys. Leaves: messages; see line_editor.hpp.
#include "runner/line_editor.hpp"

#if TRILOBIT_HAS_LIBEDIT
#include <clocale>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <string_view>

#include <histedit.h>
#include <langinfo.h>
#include <unistd.h>

#include "support/error.hpp"
#endif

namespace tbx::runner {

#if TRILOBIT_HAS_LIBEDIT

namespace {

constexpr int most_remembered = 1000;
constexpr std::wstring_view paste_ends = L"\x1b[201~";

// libedit reads characters by the locale: without one that has all of them, umlauts are no letters.
void know_all_letters() {
    (void)std::setlocale(LC_CTYPE, "");
    if (std::string_view(::nl_langinfo(CODESET)) != "UTF-8")
        (void)std::setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace

struct line_editor::state {
    EditLine* edit = nullptr;
    History* history = nullptr;
    std::string prompt, file;
    bool interrupted = false;

    state() = default;
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state() {
        if (edit != nullptr) ::el_end(edit);
        if (history != nullptr) ::history_end(history);
    }

    static state& of(EditLine* edit) {
        void* self = nullptr;
        (void)::el_get(edit, EL_CLIENTDATA, &self);
        return *static_cast<state*>(self);
    }
    static char* show_prompt(EditLine* edit) { return of(edit).prompt.data(); }
    static unsigned char interrupt(EditLine* edit, int key);
    static unsigned char suspend(EditLine* edit, int key);
    static unsigned char paste(EditLine* edit, int key);
    static unsigned char begin_line(EditLine* edit, int key);

    void bind();
    void read_history(const std::string& path);
    void remember(const std::string& text);
};

unsigned char line_editor::state::interrupt(EditLine* edit, int) {
    const LineInfoW* line = ::el_wline(edit);
    const auto after = static_cast<int>(line->lastchar - line->cursor);
    const auto all = static_cast<int>(line->lastchar - line->buffer);
    if (all == 0) {
        of(edit).interrupted = true;
        return CC_EOF;
    }
    (void)::el_cursor(edit, after);
    ::el_deletestr(edit, all);
    return CC_REFRESH;
}

// libedit leaves the terminal as it found it meanwhile.
unsigned char line_editor::state::suspend(EditLine*, int) {
    (void)std::raise(SIGTSTP);
    return CC_REFRESH;
}

// What a terminal sends between two marks is text, whatever keys it looks like.
unsigned char line_editor::state::paste(EditLine* edit, int) {
    std::wstring text;
    wchar_t c = 0;
    while (!text.ends_with(paste_ends) && ::el_wgetc(edit, &c) == 1) text += c == L'\r' ? L'\n' : c;
    if (text.ends_with(paste_ends)) text.resize(text.size() - paste_ends.size());
    std::erase_if(text, [](wchar_t w) { return w < L' ' && w != L'\n' && w != L'\t'; });
    while (text.ends_with(L'\n')) text.pop_back();
    if (!text.empty() && ::el_winsertstr(edit, text.c_str()) != 0) return CC_ERROR;
    return CC_REFRESH;
}

unsigned char line_editor::state::begin_line(EditLine* edit, int) {
    return ::el_winsertstr(edit, L"\n") == 0 ? CC_REFRESH : CC_ERROR;
}

void line_editor::state::bind() {
    (void)::el_set(edit, EL_CLIENTDATA, this);
    (void)::el_set(edit, EL_PROMPT, &state::show_prompt);
    (void)::el_set(edit, EL_HIST, ::history, history);
    (void)::el_set(edit, EL_EDITOR, "emacs");
    (void)::el_set(edit, EL_SIGNAL, 1);
    // Ctrl-C is a key while a line is typed, and so is Ctrl-Z.
    (void)::el_set(edit, EL_SETTY, "-d", "-isig", nullptr);
    const auto key = [&](const char* name, const char* what,
                         unsigned char (*function)(EditLine*, int),
                         std::initializer_list<const char*> keys) {
        (void)::el_set(edit, EL_ADDFN, name, what, function);
        for (const char* k : keys) (void)::el_set(edit, EL_BIND, k, name, nullptr);
    };
    key("chat-interrupt", "clear the line, or end", &state::interrupt, {"^C"});
    key("chat-suspend", "back to the shell, for a while", &state::suspend, {"^Z"});
    key("chat-paste", "take what the terminal pastes", &state::paste, {"\\e[200~"});
    key("chat-line", "begin another line", &state::begin_line, {"\\e\r", "\\e\n"});
    (void)::el_set(edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    (void)::el_set(edit, EL_BIND, "\\e[3~", "ed-delete-next-char", nullptr);
}

void line_editor::state::read_history(const std::string& path) {
    HistEvent event{};
    if (std::filesystem::exists(path) && ::history(history, &event, H_LOAD, path.c_str()) < 0)
        throw error(path, "it is no history that libedit wrote");
    file = path;
}

// Written anew beside the old one each time: whoever ends the program, nothing is lost.
void line_editor::state::remember(const std::string& text) {
    HistEvent event{};
    (void)::history(history, &event, H_ENTER, text.c_str());
    if (file.empty()) return;
    const std::string beside = file + "." + std::to_string(::getpid());
    if (::history(history, &event, H_SAVE, beside.c_str()) < 0 ||
        std::rename(beside.c_str(), file.c_str()) != 0) {
        (void)std::remove(beside.c_str());
        throw error(file, "it could not be written");
    }
}

std::unique_ptr<line_editor> line_editor::open(const std::string& prompt,
                                               const std::optional<std::string>& history) {
    know_all_letters();
    auto made = std::make_unique<state>();
    made->prompt = prompt;
    made->history = ::history_init();
    made->edit = ::el_init("trilobit", stdin, stderr, stderr);
    if (made->history == nullptr || made->edit == nullptr) return nullptr;
    HistEvent event{};
    (void)::history(made->history, &event, H_SETSIZE, most_remembered);
    (void)::history(made->history, &event, H_SETUNIQUE, 1);
    made->bind();
    if (history) made->read_history(*history);
    return std::unique_ptr<line_editor>(new line_editor(std::move(made)));
}

line_input::got line_editor::next(std::string& text) {
    // From here on Ctrl-C is a key: libedit shows the prompt first, and a signal would end all.
    (void)::el_set(parts->edit, EL_PREP_TERM, 1);
    // Terminals that can mark what is pasted do so from here to there.
    (void)std::fputs("\x1b[?2004h", stderr);
    int count = 0;
    parts->interrupted = false;
    const char* line = ::el_gets(parts->edit, &count);
    (void)std::fputs("\x1b[?2004l", stderr);
    if (parts->interrupted) return line_input::got::interrupt;
    if (line == nullptr || count <= 0) return line_input::got::end;
    text.assign(line, static_cast<std::size_t>(count));
    if (text.ends_with('\n')) text.pop_back();
    if (!text.empty()) parts->remember(text);
    return line_input::got::message;
}

#else

struct line_editor::state {};

std::unique_ptr<line_editor> line_editor::open(const std::string&,
                                               const std::optional<std::string>&) {
    return nullptr;
}

line_input::got line_editor::next(std::string&) { return line_input::got::end; }

#endif

line_editor::line_editor(std::unique_ptr<state> made) : parts(std::move(made)) {}
line_editor::~line_editor() = default;

}  // namespace tbx::runner
