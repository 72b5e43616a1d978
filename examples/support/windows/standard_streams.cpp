// SPDX-License-Identifier: MIT
// Room support. Enters: descriptors 0 to 2 and the console. Leaves: none closed, bytes as they are,
// and a console that shows UTF-8 and obeys the codes that erase a line.
#include "support/standard_streams.hpp"

#include <cstdlib>

#include <fcntl.h>
#include <io.h>

#include "support/windows/api.hpp"

namespace tbx::support {

namespace {

// They belong to the console, which outlives the program.
UINT output_before = 0, input_before = 0;
void restore_console() {
    ::SetConsoleOutputCP(output_before);
    ::SetConsoleCP(input_before);
}

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
    output_before = ::GetConsoleOutputCP();
    input_before = ::GetConsoleCP();
    if (output_before != 0) {
        ::SetConsoleOutputCP(CP_UTF8);
        ::SetConsoleCP(CP_UTF8);
        (void)std::atexit(restore_console);
    }
    for (const DWORD stream : {STD_OUTPUT_HANDLE, STD_ERROR_HANDLE}) {
        const HANDLE console = ::GetStdHandle(stream);
        DWORD mode = 0;
        if (::GetConsoleMode(console, &mode) != 0)
            (void)::SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
    }
}

}  // namespace tbx::support
