// SPDX-License-Identifier: MIT
// Tests of the runner: a model with NaN or infinity in it is refused by every command that would
// compute with it, and so is one whose sound weights lead to such logits.
#include <cstring>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "gguf/reader.hpp"
#include "program.hpp"

using namespace tbx;
using namespace tbx::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

/// A dummy model with untied, dense or ternary weights.
std::string dummy(const scratch_folder& folder, std::string_view shape, gguf::tensor_type type) {
    model::write_dummy(folder.path("sound.gguf"), model::config_of_shape(shape), type, 1, {});
    return folder.path("sound.gguf");
}

/// A copy in which `bytes` replace those of the tensor, `times` times, from `offset` on, or from
/// its end when that is negative.
std::string spoiled(const scratch_folder& folder, const std::string& path, const char* tensor,
                    std::ptrdiff_t offset, std::string_view bytes, std::size_t times = 1) {
    const std::string whole = content_of(path);
    const gguf::reader file(path, std::as_bytes(std::span(whole)));
    const auto data = file.require_tensor(tensor).data;
    std::string copy = whole;
    std::size_t at =
        static_cast<std::size_t>(reinterpret_cast<const char*>(data.data()) - whole.data() +
                                 (offset < 0 ? std::ssize(data) + offset : offset));
    for (; times > 0; --times, at += bytes.size()) copy.replace(at, bytes.size(), bytes);
    return folder.file("spoiled.gguf", copy);
}

std::vector<std::vector<std::string>> commands(const scratch_folder& folder,
                                               const std::string& model) {
    std::vector<std::vector<std::string>> all = {
        {"run", "-p", "kalo", "-n", "4"},
        {"run", "-p", "kalo", "-n", "4", "--head", "two-stage"},
        {"run", "-p", "kalo", "-n", "4", "--temp", "1", "--top-k", "5"},
        {"chat", "-n", "4"},
        {"chat", "-n", "4", "--temp", "0", "--head", "two-stage"},
        {"logits", "--tokens", "1,300,5"},
        {"logits", "--tokens", "1,300,5", "--step"},
        {"perplexity", "-f", folder.file("text", "kalo mine rusa tivo")},
        {"bench", "-p", "4", "-n", "2", "-r", "1"},
        {"bench", "-p", "4", "-n", "2", "-r", "1", "--head", "two-stage"}};
    for (auto& command : all) command.insert(command.end(), {"-m", model});
    return all;
}

void every_command_refuses(const scratch_folder& folder, const std::string& path,
                           const std::string& what) {
    for (const auto& command : commands(folder, path)) {
        const outcome o = run_program(command, "hello\n");
        INFO(command[0] << ": " << o.out << o.err);
        CHECK(o.status == 1);
        CHECK_THAT(o.err, StartsWith("trilobit: " + path + ": ") ||
                              ContainsSubstring("\ntrilobit: " + path + ": "));
        CHECK_THAT(o.err, ContainsSubstring(what));
        CHECK_THAT(o.out, !ContainsSubstring("nan") && !ContainsSubstring("inf"));
    }
}

constexpr std::string_view half_nan("\x00\x7e", 2), half_infinity("\x00\xfc", 2),
    float_nan("\x00\x00\xc0\x7f", 4), float_infinity("\x00\x00\x80\x7f", 4);

}  // namespace

TEST_CASE("dense tensors with NaN or infinity are refused by name") {
    const scratch_folder folder;
    const std::string path = dummy(folder, "tiny-llama", gguf::tensor_type::f16);
    for (const auto& [tensor, offset, bytes] :
         {std::tuple("blk.1.ffn_up.weight", std::ptrdiff_t{1000}, half_nan),
          {"token_embd.weight", -2, half_infinity},
          {"output.weight", 512 * 300, half_nan},
          {"blk.0.attn_norm.weight", 8, float_nan},
          {"output_norm.weight", -4, float_infinity}})
        every_command_refuses(folder, spoiled(folder, path, tensor, offset, bytes),
                              "tensor '" + std::string(tensor) + "', row ");
}

TEST_CASE("scales of ternary tensors that are no numbers are refused by name") {
    const scratch_folder folder;
    const char* const tensor = "blk.1.attn_k.weight";
    const std::string blocks = dummy(folder, "tiny-llama", gguf::tensor_type::tq2_0);
    every_command_refuses(folder, spoiled(folder, blocks, tensor, 66 * 7 + 64, half_infinity),
                          std::string("tensor '") + tensor);
    const std::string whole = dummy(folder, "tiny-llama", gguf::tensor_type::i2_s);
    every_command_refuses(folder, spoiled(folder, whole, tensor, -32, float_nan),
                          std::string("tensor '") + tensor);
}

TEST_CASE("sound weights whose logits are not finite end every command") {
    const scratch_folder folder;
    const std::string path = dummy(folder, "tiny-llama", gguf::tensor_type::f16);
    // 3e38: the input of the head overflows. 1e37: its products do, with rows of 60000.
    const std::string head =
        spoiled(folder, path, "output.weight", 0, std::string_view("\x53\x7b", 2), 512 * 256);
    const std::string copy = folder.file("head.gguf", content_of(head));
    every_command_refuses(folder,
                          spoiled(folder, path, "output_norm.weight", 0,
                                  std::string_view("\x9e\xb4\x61\x7f", 4), 256),
                          "the logits at position ");
    every_command_refuses(folder,
                          spoiled(folder, copy, "output_norm.weight", 0,
                                  std::string_view("\x99\x76\xf0\x7c", 4), 256),
                          "the logits at position ");
}
