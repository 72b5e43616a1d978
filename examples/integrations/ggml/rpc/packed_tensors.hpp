// SPDX-License-Identifier: MIT
// Room integrations. Enters: bytes that clients set. Leaves: those of weights, which the plug-in
// packs, found again by where the client believes them to lie: its tensors are made anew for each
// message, and the protocol has no room for what a back end would note in them.
//
// Whoever reads such a place gets its bytes, and whoever must have them in place gets them back.
#pragma once

#include <map>

#include "integrations/ggml/rpc/calls.hpp"

namespace tbx::ggml {

class packed_tensors {
    struct packed {
        tensor shadow;  // as the plug-in knows it
        ggml::buffer* buffer;
        std::size_t size;  // of the client's bytes
    };
    using map = std::map<std::byte*, packed>;

    device* plugin;
    backend* stream;
    map held;
    scratch_graph trial;

    map::iterator first_behind(const std::byte* at);
    bool works(tensor& weights);
    void unpack(std::byte* at, packed& p);

public:
    packed_tensors(device* of, backend* tried_on) noexcept : plugin(of), stream(tried_on) {}
    packed_tensors(const packed_tensors&) = delete;
    packed_tensors& operator=(const packed_tensors&) = delete;
    ~packed_tensors();

    /// The whole of a tensor; false when the plug-in has no use for it or refuses it.
    bool take(const tensor& t, const void* bytes);

    /// What the plug-in multiplies by where a client says `t`; null when that is not packed.
    tensor* find(const tensor& t);

    /// Over `to`, which has the raw bytes from `at` on.
    void read(const std::byte* at, std::size_t size, std::byte* to);

    /// From here on these bytes lie where the client believes, but for tensors that lie in them
    /// wholly when they will be overwritten.
    void give_back(std::byte* at, std::size_t size, bool overwritten = false);
};

}  // namespace tbx::ggml
