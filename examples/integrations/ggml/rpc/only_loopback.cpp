// SPDX-License-Identifier: MIT
// Room integrations. Enters: calls of ggml's server to the system. Leaves: see only_loopback.hpp.
// The program comes before the C library where the loader looks for bind() and connect().
#include "integrations/ggml/rpc/only_loopback.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "integrations/ggml/host.hpp"

namespace tbx::ggml {

network_guard the_guard;

namespace {

bool is_loopback(const in_addr& a) noexcept { return ntohl(a.s_addr) >> 24 == 127; }

bool may_pass(const sockaddr* address, socklen_t size) noexcept {
    if (the_guard.exposed) return true;
    bool inside = true;
    if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
        sockaddr_in in;
        std::memcpy(&in, address, sizeof in);
        inside = is_loopback(in.sin_addr);
    } else if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
        sockaddr_in6 in;
        std::memcpy(&in, address, sizeof in);
        inside = IN6_IS_ADDR_LOOPBACK(&in.sin6_addr);
    }
    if (!inside) {
        static std::atomic<bool> said = false;  // ggml tries again for seconds
        if (!said.exchange(true))
            complain("a connection beyond this machine is refused (--expose allows it)");
        errno = EACCES;
    }
    return inside;
}

}  // namespace

bool is_address(const char* text) noexcept {
    in_addr a;
    return ::inet_pton(AF_INET, text, &a) == 1;
}

bool is_loopback(const char* address) noexcept {
    in_addr a;
    return ::inet_pton(AF_INET, address, &a) == 1 && is_loopback(a);
}

}  // namespace tbx::ggml

extern "C" {

__attribute__((visibility("default"))) int bind(int socket, const sockaddr* address,
                                                socklen_t size) noexcept {
    if (!tbx::ggml::may_pass(address, size)) return -1;
    const auto done = ::syscall(SYS_bind, socket, address, size);
    if (done == 0 && tbx::ggml::the_guard.is_listening != nullptr)
        *tbx::ggml::the_guard.is_listening = true;
    return static_cast<int>(done);
}

__attribute__((visibility("default"))) int connect(int socket, const sockaddr* address,
                                                   socklen_t size) {
    if (!tbx::ggml::may_pass(address, size)) return -1;
    return static_cast<int>(::syscall(SYS_connect, socket, address, size));
}

}  // extern "C"
