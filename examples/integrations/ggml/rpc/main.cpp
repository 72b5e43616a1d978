// SPDX-License-Identifier: MIT
// Room integrations. Enters: an address. Leaves: ggml's own RPC server there, which offers the
// plug-in's device to llama.cpp on other machines. Runs among the libraries of ggml, of which
// nothing is linked, with GGML_BACKEND_PATH naming the plug-in.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <new>
#include <string>
#include <thread>

#include "integrations/ggml/rpc/calls.hpp"
#include "integrations/ggml/rpc/only_loopback.hpp"
#include "integrations/ggml/rpc/served_device.hpp"
#include "support/number_options.hpp"

namespace tbx::ggml {

calls the_calls;

namespace {

struct wishes {
    std::string host = "127.0.0.1";
    int port = 50052;
    int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    std::size_t memory = 0;  // bytes
};

/// As the system believes that it can be had without swapping.
std::size_t free_memory() {
    std::ifstream file("/proc/meminfo");
    std::string word;
    std::size_t kib = 0;
    while (file >> word)
        if (word == "MemAvailable:" && file >> kib) return kib << 10;
    return std::size_t{4} << 30;
}

/// Returns only when it cannot serve, and after one line.
int serve(const wishes& w) {
    // A message says how long it is, and ggml's server allocates that before it reads on.
    const rlimit most{w.memory, w.memory};
    (void)::setrlimit(RLIMIT_DATA, &most);
    if (dlopen("libggml.so.0", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
        complain("ggml cannot be loaded: ", dlerror());
        return 1;
    }
    if (!the_calls.find()) return 1;
    the_calls.load_all();
    if (!the_host.find()) return 1;
    if (the_host.version != 3) {
        complain("a server is known for version 3 of ggml's back-end interface, and this is ",
                 std::to_string(the_host.version).c_str());
        return 1;
    }
    device* plugin = the_calls.device_by_name("TRILOBIT");
    device* cpu = the_calls.device_by_name("CPU");
    registry* rpc = the_calls.registry_by_name("RPC");
    if (plugin == nullptr)
        complain("GGML_BACKEND_PATH has to name libggml-trilobit.so");
    else if (cpu == nullptr || rpc == nullptr)
        complain("this ggml lacks its back end ", cpu == nullptr ? "CPU" : "RPC");
    if (plugin == nullptr || cpu == nullptr || rpc == nullptr) return 1;
    auto* start = reinterpret_cast<void (*)(const char*, const char* cache, std::size_t threads,
                                            std::size_t devices, device**)>(
        rpc->functions.find(rpc, "ggml_backend_rpc_start_server"));
    if (start == nullptr) {
        complain("this ggml's back end RPC has no server");
        return 1;
    }
    device* offered = make_served_device(plugin, cpu, w.memory);
    if (offered == nullptr) return 1;
    const std::string endpoint = w.host + ":" + std::to_string(w.port);
    start(endpoint.c_str(), nullptr, static_cast<std::size_t>(w.threads), 1, &offered);
    complain("the server ended: is the port in use? ", endpoint.c_str());
    return 1;
}

/// ggml's server aborts over requests that it did not foresee. All that it holds belongs to the one
/// client it serves, so that another takes its place.
int keep_serving(const wishes& w) {
    void* shared = ::mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return 1;
    auto* listening = new (shared) std::atomic<bool>(false);
    the_guard.is_listening = listening;
    for (;;) {
        *listening = false;
        const pid_t parent = ::getpid(), child = ::fork();
        if (child < 0) {
            complain("no process can be started");
            return 1;
        }
        if (child == 0) {
            (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)::signal(SIGPIPE, SIG_IGN);  // of clients that leave before their answer
            std::_Exit(::getppid() == parent ? serve(w) : 1);
        }
        int status = 0;
        while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
        if (WIFEXITED(status)) return WEXITSTATUS(status);
        if (!*listening) {
            complain("the server died before it served");
            return 1;
        }
        complain("a request killed the server by signal ",
                 (std::to_string(WTERMSIG(status)) + "; another takes its place").c_str());
    }
}

}  // namespace

}  // namespace tbx::ggml

int main(int count, char** arguments) {
    using namespace tbx::ggml;
    using tbx::support::whole_number;
    wishes w;
    std::size_t mebibytes = free_memory() >> 20;
    CLI::App app("Offers 1-bit and ternary products to llama.cpp on other machines");
    app.add_option("--host", w.host, "IPv4 address to listen on")->capture_default_str();
    app.add_option("--port", w.port)->transform(whole_number(1, 65535))->capture_default_str();
    app.add_option("--threads", w.threads)->transform(whole_number(1, 512))->capture_default_str();
    app.add_option("--memory", mebibytes, "MiB that clients may fill; what is free if not said")
        ->transform(whole_number<std::size_t>(64, std::numeric_limits<std::size_t>::max() >> 20));
    app.add_flag("--expose", the_guard.exposed, "Let other machines in: read the line it prints");
    CLI11_PARSE(app, count, arguments);
    w.memory = mebibytes << 20;
    if (!is_address(w.host.c_str())) {
        complain("--host is an IPv4 address in numbers, not ", w.host.c_str());
        return 2;
    }
    if (!is_loopback(w.host.c_str()) && !the_guard.exposed) {
        complain("other machines would reach this address, which --expose allows: ",
                 w.host.c_str());
        return 2;
    }
    complain("no password, no encryption: whoever reaches this port is trusted, and so is all that "
             "he sends");
    // Not of a death that is expected.
    ::setenv("GGML_NO_BACKTRACE", "1", 1);
    return keep_serving(w);
}
