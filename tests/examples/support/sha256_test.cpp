// SPDX-License-Identifier: MIT
// The examples of FIPS 180-4, and bytes that come in portions of all sizes.
#include "support/sha256.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string_view>

using tbx::support::sha256;

namespace {

std::string digest_of(std::string_view text) {
    sha256 hash;
    hash.add(std::as_bytes(std::span(text)));
    return hash.digest();
}

}  // namespace

TEST_CASE("SHA-256 of the standard's texts") {
    CHECK(digest_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(digest_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(digest_of("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                    "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu") ==
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    CHECK(digest_of(std::string(1000000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 does not depend on how the bytes come") {
    std::string text;
    for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
    for (std::size_t size = 0; size <= text.size(); ++size) {
        const std::string_view some = std::string_view(text).substr(0, size);
        sha256 hash;
        for (std::size_t at = 0; at < size; at += 1 + at % 71)
            hash.add(std::as_bytes(std::span(some.substr(at, 1 + at % 71))));
        REQUIRE(hash.digest() == digest_of(some));
    }
}
