// SPDX-License-Identifier: MIT
// Room support. Enters: descriptors 0 to 2. Leaves: none closed; see standard_streams.hpp.
#include "support/standard_streams.hpp"

#include <fcntl.h>

namespace tbx::support {

void keep_standard_streams() noexcept {
    // The lowest free number is taken, so those before it are open. Read-only: writing to it fails.
    for (int number = 0; number < 3; ++number)
        if (::fcntl(number, F_GETFD) < 0) (void)::open("/dev/null", O_RDONLY);
}

}  // namespace tbx::support
