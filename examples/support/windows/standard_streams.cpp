// SPDX-License-Identifier: MIT
// Room support. Enters: descriptors 0 to 2 and the console. Leaves: none closed, bytes as they are,
// what is typed in std::cin as UTF-8, and a console that shows it and obeys the codes that erase.
#include "support/standard_streams.hpp"

#include <array>
#include <cstdlib>
#include <iostream>
#include <streambuf>

#include <fcntl.h>
#include <io.h>

#include "support/windows/api.hpp"

namespace tbx::support {

namespace {

// It belongs to the console, which outlives the program.
UINT code_page_before = 0;
void restore_console() { ::SetConsoleOutputCP(code_page_before); }

/// Read as bytes, most consoles give a zero for each letter that is not ASCII.
class typed_text : public std::streambuf {
    std::array<wchar_t, 512> typed{};
    std::array<char, 3 * 512> text{};
    wchar_t half = 0;

    int_type underflow() override {
        DWORD count = 0;
        // Half of a pair is read with the other half next time.
        const DWORD kept = half != 0 ? 1 : 0;
        typed[0] = half;
        half = 0;
        if (::ReadConsoleW(::GetStdHandle(STD_INPUT_HANDLE), typed.data() + kept,
                           static_cast<DWORD>(typed.size()) - kept, &count, nullptr) == 0)
            return traits_type::eof();
        constexpr wchar_t control_d = 0x04, control_z = 0x1a;  // at the start of a line: no more
        count += kept;
        if (count == 0 || typed[0] == control_d || typed[0] == control_z) return traits_type::eof();
        if (const wchar_t last = typed[count - 1]; count > 1 && last >= 0xd800 && last < 0xdc00) {
            half = last;
            --count;
        }
        const int bytes =
            ::WideCharToMultiByte(CP_UTF8, 0, typed.data(), static_cast<int>(count), text.data(),
                                  static_cast<int>(text.size()), nullptr, nullptr);
        if (bytes <= 0) return traits_type::eof();
        setg(text.data(), text.data(), text.data() + bytes);
        return traits_type::to_int_type(text[0]);
    }
};

}  // namespace

void keep_standard_streams() noexcept {
    for (int number = 0; number < 3; ++number) {
        // The lowest free number is taken, so those before it are open. -2: there is no stream.
        if (::_get_osfhandle(number) < 0) {
            (void)::_close(number);
            (void)::_open("NUL", _O_RDONLY);
        }
        (void)::_setmode(number, _O_BINARY);
    }
    code_page_before = ::GetConsoleOutputCP();
    if (code_page_before != 0) {
        ::SetConsoleOutputCP(CP_UTF8);
        (void)std::atexit(restore_console);
    }
    if (DWORD mode = 0; ::GetConsoleMode(::GetStdHandle(STD_INPUT_HANDLE), &mode) != 0) {
        static typed_text typed;
        (void)std::cin.rdbuf(&typed);
    }
    for (const DWORD stream : {STD_OUTPUT_HANDLE, STD_ERROR_HANDLE}) {
        const HANDLE console = ::GetStdHandle(stream);
        DWORD mode = 0;
        if (::GetConsoleMode(console, &mode) != 0)
            (void)::SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
    }
}

}  // namespace tbx::support
