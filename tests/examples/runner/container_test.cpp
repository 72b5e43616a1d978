// SPDX-License-Identifier: MIT
// Tests of containers: a GGUF file of packed images computes what its source does, to the bit and
// on every back end; loading it touches no weight; what is damaged is told in one line; and it
// turns back into what it was made of.
#include <sys/mman.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <trilobit/dispatch/dispatch.hpp>

#include "gguf/packed.hpp"
#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "model/forward.hpp"
#include "program.hpp"
#include "resident.hpp"

using namespace tbx;
using testing::content_of;
using testing::outcome;
using testing::resident_now;
using testing::run_program;
using testing::scratch_folder;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string convert(const std::string& from, const std::string& name, const std::string& to) {
    const outcome o = run_program({"convert", from, to, "--to", name});
    INFO(name << ": " << o.err);
    REQUIRE(o.status == 0);
    return to;
}

std::string passport(const std::string& path, const std::string& arch = "") {
    const outcome o = run_program({"verify", "-m", path}, {},
                                  arch.empty() ? std::vector<std::string>{}
                                               : std::vector{"TRILOBIT_ARCH=" + arch});
    INFO(arch << ": " << o.err);
    REQUIRE(o.status == 0);
    return o.out.substr(0, o.out.find('\n'));
}

std::string dummy_of(const scratch_folder& folder, gguf::tensor_type type) {
    const std::string path = folder.path(gguf::name_of(type));
    model::write_dummy(path, model::config_of_shape("tiny"), type, 1, {});
    return path;
}

/// Bytes of a mapped file that lie in this process's memory.
std::size_t resident(const std::string& path) {
    std::ifstream maps("/proc/self/smaps");
    std::string line;
    std::size_t bytes = 0;
    bool ours = false;
    while (std::getline(maps, line)) {
        // "7f0123-7f0456 r--p .. path" heads the lines of a mapping.
        if (line.find('-') < line.find(' ')) ours = line.ends_with(path);
        if (std::size_t kilobytes = 0;
            ours && std::sscanf(line.c_str(), "Rss: %zu kB", &kilobytes) == 1)
            bytes += kilobytes * 1024;
    }
    return bytes;
}

/// A container of 30 MB, made once.
const std::string& wide_container() {
    static const scratch_folder folder;
    static const std::string path = [] {
        model::config shape = model::config_of_shape("tiny");
        shape.dim = 2048;
        shape.ffn = 8192;
        shape.key_dim = shape.value_dim = shape.rope_dim = 128;
        shape.heads = 16;
        model::write_dummy(folder.path("source"), shape, gguf::tensor_type::i2_s, 1, {});
        return convert(folder.path("source"), "packed", folder.path("container"));
    }();
    return path;
}

/// What a child that runs `f` and then ends itself ends with: a status, or 128 + a signal.
template <class F>
int ends_with(F f) {
    const pid_t child = ::fork();
    if (child == 0) {
        f();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Takes the right to read away from all pages that hold nothing but weights of a layer.
std::int64_t lock_weights(const gguf::reader& file) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    std::int64_t locked = 0;
    for (const gguf::tensor& t : file.tensors()) {
        const auto image = gguf::packed_image(file, t);
        if (!image) continue;
        const auto tiles = reinterpret_cast<std::uintptr_t>(image->tiles);
        const auto bytes = static_cast<std::uintptr_t>(image->tiles_bytes());
        const std::uintptr_t first = (tiles + page - 1) / page * page;
        const std::uintptr_t last = (tiles + bytes) / page * page;
        if (first >= last) continue;
        if (::mprotect(reinterpret_cast<void*>(first), last - first, PROT_NONE) != 0) ::_exit(3);
        locked += static_cast<std::int64_t>(last - first);
    }
    return locked;
}

/// Where an image begins in the bytes of a file.
std::size_t place_of(const std::string& bytes, std::string_view name) {
    const gguf::reader file("x", std::as_bytes(std::span(bytes)));
    const auto data = file.require_tensor(name).data;
    return static_cast<std::size_t>(data.data() - std::as_bytes(std::span(bytes)).data());
}

}  // namespace

TEST_CASE("a container has the passport of its source, whatever the types and layouts") {
    const scratch_folder folder;
    for (const auto type :
         {gguf::tensor_type::tq2_0, gguf::tensor_type::i2_s, gguf::tensor_type::iq2_bn,
          gguf::tensor_type::q1_0, gguf::tensor_type::q2_0, gguf::tensor_type::pq2_0}) {
        const std::string source = dummy_of(folder, type), wanted = passport(source);
        const bool ternary = gguf::few_levels(type)->values == formats::kind::ternary;
        for (const char* name : {"packed", "packed:ternary_2bit", "packed:ternary_base3",
                                 "packed:ternary_planes", "packed:quaternary_2bit"}) {
            if (!ternary && std::string(name) != "packed") continue;
            INFO(gguf::name_of(type) << " " << name);
            CHECK(passport(convert(source, name, folder.path("c"))) == wanted);
        }
        // And back: the same bytes of the same tensors.
        const std::string back = convert(folder.path("c"), gguf::name_of(type), folder.path("b"));
        const gguf::reader was(source), is(back);
        for (const gguf::tensor& t : was.tensors()) {
            const gguf::tensor& f = is.require_tensor(t.name);
            INFO(gguf::name_of(type) << " " << t.name);
            CHECK(f.type == t.type);
            CHECK(std::ranges::equal(f.data, t.data));
        }
        CHECK_FALSE(is.has(gguf::packed_key));
    }
}

TEST_CASE("a container of experts has the passport of its source, and turns back into it") {
    const scratch_folder folder;
    for (const auto type : {gguf::tensor_type::tq2_0, gguf::tensor_type::q2_0,
                            gguf::tensor_type::q1_0, gguf::tensor_type::i2_s}) {
        const std::string source = folder.path("source");
        model::write_dummy(source, model::config_of_shape("tiny-maple"), type, 1, {});
        const std::string wanted = passport(source);
        for (const char* name : {"packed", "packed:ternary_base3"}) {
            if (gguf::few_levels(type)->values != formats::kind::ternary &&
                std::string(name) != "packed")
                continue;
            INFO(gguf::name_of(type) << " " << name);
            const std::string container = convert(source, name, folder.path("c"));
            CHECK(passport(container) == wanted);
            const gguf::reader file(container);
            const gguf::tensor& stack = file.require_tensor("blk.0.ffn_down_exps.weight");
            CHECK((stack.type == gguf::tensor_type::i8 && stack.dimensions == 2));
            CHECK(gguf::packed_images(file, stack).size() == 8);
        }
        const std::string back = convert(folder.path("c"), gguf::name_of(type), folder.path("b"));
        const gguf::reader was(source), is(back);
        for (const gguf::tensor& t : was.tensors()) {
            const gguf::tensor& f = is.require_tensor(t.name);
            INFO(gguf::name_of(type) << " " << t.name);
            CHECK((f.type == t.type && f.dimensions == t.dimensions));
            CHECK(std::ranges::equal(f.data, t.data));
        }
    }
    // The images of a stack are alike, or they are refused.
    std::string bytes = content_of(convert(folder.path("source"), "packed", folder.path("c")));
    const gguf::reader file(folder.path("c"));
    const auto& stack = file.require_tensor("blk.0.ffn_up_exps.weight");
    const auto one = static_cast<std::size_t>(stack.columns());
    bytes[place_of(bytes, stack.name) + one] = 'X';
    const outcome o = run_program({"info", "-m", folder.file("hurt", bytes), "--tensors"});
    CHECK(o.status == 1);
    CHECK_THAT(o.err, ContainsSubstring("tensor 'blk.0.ffn_up_exps.weight': "));
}

TEST_CASE("a container runs on every back end") {
    const scratch_folder folder;
    const std::string source = dummy_of(folder, gguf::tensor_type::tq2_0),
                      wanted = passport(source);
    for (const char* name : {"packed", "packed:ternary_base3"}) {
        const std::string container = convert(source, name, folder.path("c"));
        for (const trilobit::kernel_table* table : trilobit::dispatch::available())
            CHECK(passport(container, std::string(table->name)) == wanted);
    }
}

TEST_CASE("to load a container touches no weight") {
    const std::string& path = wide_container();
    const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path));
    const auto load = [&](bool then_read) {
        const gguf::reader file(path);
        if (lock_weights(file) < size * 9 / 10) ::_exit(4);
        model::compute cpu(1);
        const model::transformer m =
            model::load_transformer(cpu, file, trilobit::layout_id::ternary_2bit, {});
        if (m.weights.layers.back().down.packed() == nullptr) ::_exit(5);
        if (!then_read) return;
        model::state s(m.config, 8, 8);
        const model::token_id one = 1;
        (void)model::forward(cpu, m, s, {&one, 1}, model::logits_of::last);
    };
    CHECK(ends_with([&] { load(false); }) == 0);
    // The first token does read them.
    const int ended = ends_with([&] {
        ::signal(SIGSEGV, SIG_DFL);
        load(true);
    });
    CHECK(ended != 0);
    CHECK((ended < 3 || ended > 5));
}

TEST_CASE("a fresh mapping of a container holds next to nothing until the first token") {
    if (!std::filesystem::exists("/proc/self/smaps")) SKIP("no /proc that tells what is resident");
    const std::string& path = wide_container();
    const auto size = std::filesystem::file_size(path);
    const gguf::reader file(path);
    model::compute cpu(2);
    const model::transformer m =
        model::load_transformer(cpu, file, trilobit::layout_id::ternary_2bit, {});
    // The head of each image, its scale, and what the system maps around a page that is touched.
    const std::size_t loaded = resident(path);
    INFO(loaded << " of " << size);
    CHECK(loaded > 0);
    CHECK(loaded < size / 5);
    model::state s(m.config, 8, 8);
    const model::token_id one = 1;
    (void)model::forward(cpu, m, s, {&one, 1}, model::logits_of::last);
    CHECK(resident(path) > size * 9 / 10);
}

TEST_CASE("a model from a container takes the memory of its file and of keys and values") {
    if (!std::filesystem::exists("/proc/self/status")) SKIP("no /proc that tells what is resident");
    const std::string& path = wide_container();
    const auto size = static_cast<double>(std::filesystem::file_size(path));
    // In a child, whose memory nobody else uses; it says per mille of the file and the cache.
    const auto used = [&](std::int64_t positions) {
        return ends_with([&] {
            const std::size_t before = resident_now();
            const gguf::reader file(path);
            model::compute cpu(2);
            const model::transformer m =
                model::load_transformer(cpu, file, trilobit::layout_id::ternary_2bit, {});
            model::state s(m.config, positions, 8);
            const std::vector<model::token_id> tokens(8, 7);
            while (s.cache.length + 8 <= positions)
                (void)model::forward(cpu, m, s, tokens, model::logits_of::last);
            const double all = size + static_cast<double>(s.cache.bytes());
            const double taken = static_cast<double>(resident_now() - before);
            ::_exit(taken > 1.1 * all ? 1 : taken < 0.9 * all ? 2 : 0);
        });
    };
    CHECK(used(64) == 0);
    CHECK(used(512) == 0);
}

TEST_CASE("a container keeps metadata and all other tensors, and says what it holds") {
    const scratch_folder folder;
    const std::string source = dummy_of(folder, gguf::tensor_type::tq1_0);
    const std::string path = convert(source, "packed:ternary_base3", folder.path("c"));
    const gguf::reader was(source), is(path);
    CHECK(is.get<int>(gguf::packed_key) == TRILOBIT_PACKED_VERSION);
    CHECK(is.get<int>("general.alignment") == 64);
    CHECK(is.entries().size() == was.entries().size() + 2);
    for (const gguf::tensor& t : was.tensors()) {
        const gguf::tensor& f = is.require_tensor(t.name);
        INFO(t.name);
        CHECK((f.data.data() - is.parts().front().bytes().data()) % 64 == 0);
        if (gguf::is_linear(t.name)) {
            const auto image = gguf::packed_image(is, f, true);
            REQUIRE(image);
            CHECK((image->rows == t.rows() && image->cols == t.columns()));
            CHECK(image->layout == trilobit::layout_id::ternary_base3);
        } else {
            CHECK((f.type == t.type && std::ranges::equal(f.data, t.data)));
        }
    }
    const outcome info = run_program({"info", "-m", path});
    CHECK_THAT(info.out, ContainsSubstring("ternary_base3") && ContainsSubstring("graph    "));
    // With another name for the pre-tokenizer or not, images stay images.
    const outcome bench =
        run_program({"bench", "-m", path, "-p", "4", "-n", "2", "-r", "1", "--json"});
    CHECK_THAT(bench.out, ContainsSubstring("\"layout\": \"ternary_base3\""));
}

TEST_CASE("a damaged container is refused in one line, or gives no other numbers") {
    const scratch_folder folder;
    const std::string path =
        convert(dummy_of(folder, gguf::tensor_type::tq2_0), "packed", folder.path("c"));
    const std::string good = content_of(path);
    const std::string name = "blk.1.ffn_up.weight";
    const auto refused = [&](const std::string& bytes, const std::vector<std::string>& verb,
                             const char* why) {
        std::vector<std::string> arguments = verb;
        arguments.push_back(folder.file("damaged", bytes));
        if (verb.front() == "convert") {
            arguments.push_back(folder.path("never"));
            arguments.insert(arguments.end(), {"--to", "TQ2_0"});
        }
        const outcome o = run_program(arguments);
        INFO(o.err);
        CHECK(o.status == 1);
        CHECK(o.complained());
        CHECK_THAT(o.err, ContainsSubstring(why));
        CHECK_FALSE(std::filesystem::exists(folder.path("never")));
    };
    const std::vector<std::string> run = {"logits", "--tokens", "1,2", "-m"}, again = {"convert"};
    const std::size_t image = place_of(good, name);
    for (std::size_t at = 0; at < 64; ++at) {
        std::string bytes = good;
        bytes[image + at] ^= 0x10;
        refused(bytes, run, name.c_str());
    }
    // A weight: a start does not look, a conversion does.
    std::string bytes = good;
    bytes[image + 200] ^= 1;
    refused(bytes, again, "do not match their checksum");
    // A number of the embedding that is none: found when it is computed with.
    bytes = good;
    const std::size_t table = place_of(good, "token_embd.weight");
    for (std::size_t i = 0; i < 2 * 256 * 4; i += 2) {
        bytes[table + i] = '\x00';
        bytes[table + i + 1] = '\x7e';
    }
    refused(bytes, run, "NaN or infinite");
    // Another version of the format.
    bytes = good;
    bytes[bytes.find(gguf::packed_key) + std::string(gguf::packed_key).size() + 4] ^= 1;
    refused(bytes, run, "convert its source again");
    // Cut anywhere.
    for (const std::size_t n : {image - 1, image + 10, image + 64, image + 100, good.size() - 1})
        refused(good.substr(0, n), run, "damaged: ");
}

TEST_CASE("convert: through a link, over its own source, and one name of two") {
    const scratch_folder folder;
    const std::string source = dummy_of(folder, gguf::tensor_type::tq2_0);
    const std::string wanted = passport(source), link = folder.path("link");
    std::filesystem::create_symlink("target", link);  // to a file that is not there yet
    convert(source, "I2_S", link);
    CHECK(std::filesystem::is_symlink(link));
    CHECK(std::filesystem::is_regular_file(folder.path("target")));
    CHECK(passport(folder.path("target")) == wanted);
    convert(source, "packed", link);  // and to one that is
    CHECK(std::filesystem::is_symlink(link));
    CHECK(gguf::reader(folder.path("target")).has(gguf::packed_key));
    CHECK(passport(link) == wanted);
    // In place, as itself and by another name.
    convert(source, "packed", source);
    CHECK(passport(source) == wanted);
    std::filesystem::create_symlink(source, folder.path("other"));
    convert(folder.path("other"), "TQ1_0", source);
    CHECK(passport(source) == wanted);
    CHECK(gguf::reader(source).require_tensor("blk.0.attn_q.weight").type ==
          gguf::tensor_type::tq1_0);
    std::filesystem::create_symlink("round", folder.path("round"));
    const outcome endless = run_program({"convert", source, folder.path("round"), "--to", "I2_S"});
    CHECK((endless.status == 1 && endless.complained()));
    const outcome both =
        run_program({"convert", source, folder.path("x"), "-o", folder.path("y"), "--to", "I2_S"});
    CHECK((both.status == 2 && both.complained()));
    const outcome neither = run_program({"convert", source, "--to", "I2_S"});
    CHECK((neither.status == 2 && neither.complained()));
}

TEST_CASE("make-dummy: the shape of a config.json") {
    const scratch_folder folder;
    const std::string good =
        R"({"architectures":["BitNetForCausalLM"],"hidden_size":256,"intermediate_size":512,
            "num_hidden_layers":1,"num_attention_heads":4,"num_key_value_heads":2,"vocab_size":400,
            "max_position_embeddings":128,"rms_norm_eps":1e-5,"rope_theta":5e5,
            "tie_word_embeddings":true,"hidden_act":"relu2")";
    const auto made = [&](const std::string& text) {
        return run_program({"make-dummy", "--config", folder.file("config.json", text), "-o",
                            folder.path("d.gguf")});
    };
    const outcome o = made(good + "}");
    INFO(o.err);
    REQUIRE(o.status == 0);
    const gguf::reader file(folder.path("d.gguf"));
    CHECK(file.get<std::string>("general.architecture") == "bitnet-b1.58");
    CHECK(file.require_tensor("token_embd.weight").rows() == 400);
    CHECK(run_program({"logits", "-m", folder.path("d.gguf"), "--tokens", "1"}).status == 0);
    const outcome unknown = made(good + R"(,"surprise":2})");
    CHECK((unknown.status == 1 && unknown.complained()));
    CHECK_THAT(unknown.err, ContainsSubstring("'surprise' is 2"));
    const outcome two =
        run_program({"make-dummy", "--config", "x", "--shape", "tiny", "-o", folder.path("never")});
    CHECK((two.status == 2 && two.complained()));
}
