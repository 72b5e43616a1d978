// SPDX-License-Identifier: MIT
// trilobit-rpc below Debian's llama.cpp: a model on two servers, clients that do as they like, and
// strangers. Without network or Debian there is no llama.cpp, and that is said.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "../../support/scratch_folder.hpp"
#include "llama_programs.hpp"

namespace {

using namespace tbx::testing;

class connection {
    int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

public:
    explicit connection(int port) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(port));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const timeval patience{3, 0};
        ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        (void)!::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { ::close(socket); }

    void send(const std::string& bytes) const {
        (void)!::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    /// Until the other side ends it, or says so much, or nothing for 3 s.
    std::size_t receive(std::size_t most) const {
        std::string answer(most, '\0');
        std::size_t got = 0;
        while (got < most) {
            const auto n = ::recv(socket, answer.data() + got, most - got, 0);
            if (n <= 0) break;
            got += static_cast<std::size_t>(n);
        }
        return got;
    }
};

int free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&at), size) == 0);
    REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    ::close(socket);
    return ntohs(at.sin_port);
}

std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string number(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
}

/// A message of protocol 8: what is asked for, the size, the rest.
std::string message(int command, std::uint64_t size, const std::string& rest) {
    return number(static_cast<std::uint64_t>(command), 1) + number(size, 8) + rest;
}

const std::string hello = message(14, 24, std::string(24, '\0'));
constexpr std::size_t greeting = 8 + 28;

class server {
    pid_t process = -1;
    int port;
    std::string log;

public:
    explicit server(const scratch_folder& folder)
        : port(free_port()), log(folder.path("server-" + std::to_string(port))) {
        const std::string number = std::to_string(port), run_with = llama + "run";
        process = ::fork();
        if (process == 0) {
            const int to = ::open(log.c_str(), O_WRONLY | O_CREAT, 0600);
            ::dup2(to, 1);
            ::dup2(to, 2);
            ::setenv("GGML_BACKEND_PATH", plugin.c_str(), 1);
            ::execl(run_with.c_str(), run_with.c_str(), TRILOBIT_RPC, "--port", number.c_str(),
                    "--threads", "1", "--memory", "1500", nullptr);
            std::_Exit(127);
        }
        CAPTURE(said());
        REQUIRE(serves());
    }
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server() {
        ::kill(process, SIGTERM);
        ::waitpid(process, nullptr, 0);
    }

    /// A greeting is answered, within half a minute.
    [[nodiscard]] bool serves() const {
        for (int i = 0; i < 100; ++i) {
            const connection c(port);
            c.send(hello);
            if (c.receive(greeting) == greeting) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        return false;
    }
    [[nodiscard]] connection connect() const { return connection(port); }
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port); }
    [[nodiscard]] std::string said() const { return content(log); }
};

struct completion {
    std::string text, log;
};

/// llama-completion may end before all of its text is written, which loaded machines show; the
/// figures come after the text.
completion complete(const scratch_folder& folder, const std::string& environment,
                    const std::string& arguments) {
    const std::string text = folder.path("text"), log = folder.path("log");
    for (int i = 0; i < 20; ++i) {
        const outcome o =
            run("{ " + environment + " " + quoted(llama + "llama-completion") + " -m " +
                quoted(folder.path("model.gguf")) +
                " -p Once -n 64 --temp 0 -t 2 -no-cnv --no-warmup --simple-io " + arguments +
                " </dev/null >" + quoted(text) + " 2>" + quoted(log) + "; }");
        CAPTURE(content(log));
        REQUIRE(o.status == 0);
        if (content(log).find("common_perf_print") != std::string::npos) break;
    }
    return {content(text), content(log)};
}

void make_model(const scratch_folder& folder) {
    REQUIRE(run(quoted(TRILOBIT_PROGRAM) + " make-dummy --shape tiny-llama -o " +
                quoted(folder.path("model.gguf")))
                .status == 0);
}

}  // namespace

TEST_CASE("Two servers hold a model between them, and the text is that of one process") {
    need_llama();
    const scratch_folder folder;
    make_model(folder);
    const completion one = complete(folder, "GGML_BACKEND_PATH=" + quoted(plugin), "");
    REQUIRE(one.text.size() > 100);
    // Other rounding of activations: that the texts are equal below says whose products they are.
    REQUIRE(complete(folder, "", "").text != one.text);

    const server a(folder), b(folder);
    const std::string both = "-ngl 99 -ts 1,1 --rpc " + a.address() + "," + b.address();
    const completion two = complete(folder, "", both);
    CAPTURE(two.log, a.said(), b.said());
    CHECK(two.text == one.text);
    const std::string details = complete(folder, "", both + " -lv 4").log;
    for (const server* s : {&a, &b})
        CHECK(details.find("[" + s->address() + "] model buffer size") != std::string::npos);
}

TEST_CASE("Clients get their weights back, may change them, and products stay exact") {
    need_llama();
    const scratch_folder folder;
    const server s(folder);
    const outcome o =
        run(quoted(llama + "run") + " " + quoted(TRILOBIT_GUEST) + " server " + s.address());
    CAPTURE(o.text, s.said());
    CHECK(o.status == 0);
    CHECK(s.said().find("killed the server") == std::string::npos);
}

TEST_CASE("A server listens to this machine alone unless told otherwise") {
    const auto refused = [](const std::string& arguments) {
        const outcome o = run(quoted(TRILOBIT_RPC) + " " + arguments);
        CAPTURE(arguments, o.text);
        CHECK(o.status == 2);
        return o.text;
    };
    for (const char* host : {"0.0.0.0", "192.0.2.1", "128.0.0.1"})
        CHECK(refused(std::string("--host ") + host) ==
              "trilobit: other machines would reach this address, which --expose allows: " +
                  std::string(host) + "\n");
    for (const char* host : {"localhost", "127.1", "::1"})
        CHECK(refused(std::string("--host ") + host) ==
              "trilobit: --host is an IPv4 address in numbers, not " + std::string(host) + "\n");
}

TEST_CASE("Strangers cost a connection, not the machine and not the server") {
    need_llama();
    const scratch_folder folder;
    const server s(folder);
    std::string noise;
    for (std::uint32_t state = 1; noise.size() < 100000;)
        noise += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    {
        const connection c = s.connect();
        c.send(noise);
        CHECK(c.receive(1000) == 0);
    }
    // Sizes that no machine has, more than the server may take, and one that never comes.
    for (const int shift : {63, 40, 33, 20}) {
        REQUIRE(s.serves());
        const connection c = s.connect();
        c.send(hello + message(6, std::uint64_t{1} << shift, "x"));
        CHECK(c.receive(greeting) == greeting);
    }
    for (int command = 0; command < 32; ++command) {
        REQUIRE(s.serves());
        const connection c = s.connect();
        c.send(hello + message(command, 400, noise.substr(static_cast<std::size_t>(command), 400)));
    }
    {
        // To listen for another server, on every address.
        REQUIRE(s.serves());
        const connection c = s.connect();
        c.send(hello + message(20, 80,
                               number(0, 4) + number(0, 4) + number(2, 4) +
                                   number(static_cast<std::uint64_t>(free_port()), 4) +
                                   std::string(64, '\0')));
        CHECK(c.receive(greeting + 8 + 1) == greeting + 8 + 1);
    }
    CHECK(s.said().find("a connection beyond this machine is refused") != std::string::npos);

    const outcome o =
        run(quoted(llama + "run") + " " + quoted(TRILOBIT_GUEST) + " server " + s.address());
    CAPTURE(o.text, s.said());
    CHECK(o.status == 0);
}
