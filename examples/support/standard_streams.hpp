// SPDX-License-Identifier: MIT
// Room support. Enters: descriptors 0 to 2, some of them closed perhaps. Leaves: none closed, so
// that no file that is opened later is taken for standard input, output or error; on Windows,
// streams of bytes as they are and a console that takes UTF-8.
#pragma once

namespace tbx::support {

/// Call first in main(). What was closed reads as empty, and cannot be written.
void keep_standard_streams() noexcept;

}  // namespace tbx::support
