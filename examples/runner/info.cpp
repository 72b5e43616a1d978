// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a GGUF file. Leaves: what is in it, for people.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <trilobit/layout/all.hpp>

#include "gguf/packed.hpp"
#include "gguf/reader.hpp"
#include "model/config.hpp"
#include "runner/commands.hpp"
#include "runner/generate.hpp"
#include "runner/memory_use.hpp"
#include "runner/options.hpp"
#include "support/human.hpp"

namespace tbx::runner {
namespace {

using json = nlohmann::ordered_json;

struct info_options {
    std::string path;
    std::vector<gguf::read_as> read_as;
    std::int64_t context = 0;  // 0: the model's own, up to 4096, as `run` takes
    model::kept_as cache = model::kept_as::f16;
    bool tensors = false, as_json = false;
};

// File contents may hold anything; a terminal shall see text.
std::string printable(std::string_view raw) {
    std::string out;
    for (const char c : raw) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) {
            out += c;
        } else {
            char escaped[8];
            (void)std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
            out += escaped;
        }
    }
    return out;
}

// As it is used: an image of packed weights says of itself what it is.
struct shown_tensor {
    std::string type, extent;
    double weights;
};

shown_tensor shown(const gguf::reader& file, const gguf::tensor& t) {
    if (const auto images = gguf::packed_images(file, t); !images.empty()) {
        const trilobit::packed_view& one = images.front();
        std::string extent = std::to_string(one.cols) + " x " + std::to_string(one.rows);
        if (t.dimensions > 1) extent += " x " + std::to_string(images.size());
        return {std::string(trilobit::layout_name(one.layout)), extent,
                static_cast<double>(images.size()) * static_cast<double>(one.rows) *
                    static_cast<double>(one.cols)};
    }
    std::string out = std::to_string(t.extent[0]);
    for (int d = 1; d < t.dimensions; ++d)
        out += " x " + std::to_string(t.extent[static_cast<std::size_t>(d)]);
    return {gguf::name_of(t.type), out,
            static_cast<double>(t.rows()) * static_cast<double>(t.columns())};
}

struct type_sum {
    int tensors = 0;
    double weights = 0;
    std::uint64_t bytes = 0;

    [[nodiscard]] double bits() const {
        return weights > 0 ? 8.0 * static_cast<double>(bytes) / weights : 0.0;
    }
};

// The last is the sum of all.
std::vector<std::pair<std::string, type_sum>> sums_of(const gguf::reader& file) {
    std::map<std::string, type_sum> types;
    type_sum all;
    for (const gguf::tensor& t : file.tensors()) {
        const shown_tensor as = shown(file, t);
        for (type_sum* s : {&types[as.type], &all}) {
            ++s->tensors;
            s->weights += as.weights;
            s->bytes += t.data.size();
        }
    }
    std::vector<std::pair<std::string, type_sum>> list(types.begin(), types.end());
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& x, const auto& y) { return x.second.bytes > y.second.bytes; });
    list.emplace_back("all", all);
    return list;
}

void print_types(const gguf::reader& file) {
    (void)std::printf("\n%-14s %8s %12s %12s %12s\n", "type", "tensors", "weights", "bytes",
                      "bits/weight");
    for (const auto& [name, s] : sums_of(file))
        (void)std::printf("%-14s %8d %12s %12s %12.3f\n", name.c_str(), s.tensors,
                          support::human_count(s.weights).c_str(),
                          support::human_bytes(s.bytes).c_str(), s.bits());
}

struct running {
    model::config config;
    std::int64_t positions = 0;
    model::kept_as cache{};
    memory_use memory;
};

// Throws tbx::error where the model cannot be run.
running running_of(const gguf::reader& file, const info_options& o) {
    running r;
    r.config = model::read_config(file);
    r.positions =
        o.context > 0 ? o.context : std::min<std::int64_t>(r.config.context, usual_positions);
    if (r.positions > r.config.context)
        throw error("--context", "the model was trained for " + std::to_string(r.config.context) +
                                     " positions, not " + std::to_string(r.positions));
    r.cache = o.cache;
    r.memory = memory_of(file, r.config, machine_options{}.layout, r.positions,
                         machine_options{}.batch, r.cache);
    return r;
}

void print_memory(const running& r) {
    const auto line = [](const char* what, std::int64_t bytes, const std::string& note) {
        (void)std::printf("  %-20s %12s  %s\n", what,
                          support::human_bytes(static_cast<std::uint64_t>(bytes)).c_str(),
                          note.c_str());
    };
    (void)std::printf("\nmemory at run time\n");
    line("weights, packed", r.memory.packed, "at most, as " + machine_options{}.layout_text());
    line("weights, mapped", r.memory.mapped, "read where they lie in the file");
    line("keys and values", r.memory.cache,
         "of " + std::to_string(r.positions) + " positions, as " + cache_text(r.cache));
    line("scratch", r.memory.scratch,
         "of a batch of " + std::to_string(std::min(machine_options{}.batch, r.positions)));
    line("vocabulary", r.memory.words, "about");
    line("all", r.memory.all(), "");
}

std::string graph_text(const model::config& c) {
    std::string text = c.gate == model::gate_function::silu           ? "SiLU"
                       : c.gate == model::gate_function::squared_relu ? "squared ReLU"
                                                                      : "GELU";
    text += c.sub_norms ? ", sub-norms" : ", no sub-norms";
    if (c.biases) text += ", biases of q, k and v";
    if (c.head_norms) text += ", heads normed";
    if (c.post_norms) text += ", outputs normed";
    if (c.input_norms) text += ", inputs normed";
    if (c.experts > 0)
        text +=
            ", " + std::to_string(c.experts_used) + " of " + std::to_string(c.experts) + " experts";
    if (c.window > 0) text += ", windows of " + std::to_string(c.window) + " positions";
    char base[32];
    (void)std::snprintf(base, sizeof base, "%g", double{c.rope_base});
    const bool pairs = c.pairing == model::rope_pairing::interleaved;
    text +=
        std::string(", RoPE pairs ") + (pairs ? "(2i, 2i+1)" : "(i, i+half)") + ", base " + base;
    if (c.yarn.original > 0) text += ", YaRN of " + std::to_string(c.yarn.original) + " positions";
    return text + (c.tied_head ? ", tied head" : ", own head");
}

void print_model(const model::config& c) {
    (void)std::printf(
        "\nmodel    %s, %lld layers, width %lld, ffn %lld, %lld heads (%lld kv) of %lld, "
        "vocabulary %lld, context %lld\n",
        c.architecture.c_str(), static_cast<long long>(c.layers), static_cast<long long>(c.dim),
        static_cast<long long>(c.ffn), static_cast<long long>(c.heads),
        static_cast<long long>(c.kv_heads), static_cast<long long>(c.key_dim),
        static_cast<long long>(c.vocab), static_cast<long long>(c.context));
    (void)std::printf("graph    %s\n", graph_text(c).c_str());
}

std::uint64_t bytes_of(const gguf::reader& file) {
    std::uint64_t bytes = 0;
    for (const support::mapped_file& part : file.parts()) bytes += part.bytes().size();
    return bytes;
}

void print_tensors(const gguf::reader& file) {
    (void)std::printf("\n%zu tensors\n", file.tensors().size());
    for (const gguf::tensor& t : file.tensors()) {
        const shown_tensor as = shown(file, t);
        (void)std::printf("  %-32s %-14s %20s %12s\n", printable(t.name).c_str(), as.type.c_str(),
                          as.extent.c_str(), support::human_bytes(t.data.size()).c_str());
    }
}

// A vocabulary-only file, or another architecture, is still worth looking at.
void print(const gguf::reader& file, const info_options& o) {
    const std::string parts =
        file.parts().size() > 1 ? " in " + std::to_string(file.parts().size()) + " parts" : "";
    (void)std::printf("file     %s, GGUF version %u, %s%s\n", file.name().c_str(), file.version(),
                      support::human_bytes(bytes_of(file)).c_str(), parts.c_str());
    std::optional<running> runs;
    try {
        runs = running_of(file, o);
        print_model(runs->config);
    } catch (const error& e) {
        if (o.context > 0) throw;
        (void)std::printf("\nmodel    cannot be run: %s\n", printable(e.what()).c_str());
    }
    (void)std::printf("\n%zu metadata entries\n", file.entries().size());
    for (const gguf::entry& e : file.entries())
        (void)std::printf("  %-44s %s\n", printable(e.key).c_str(),
                          printable(gguf::describe(e)).c_str());
    if (o.tensors) print_tensors(file);
    print_types(file);
    if (runs) print_memory(*runs);
}

json as_json(const gguf::reader& file, const info_options& o) {
    json out = {{"file", file.name()},
                {"version", file.version()},
                {"bytes", bytes_of(file)},
                {"parts", std::max<std::size_t>(file.parts().size(), 1)}};
    try {
        const running r = running_of(file, o);
        const model::config& c = r.config;
        out["model"] = {{"architecture", c.architecture},
                        {"layers", c.layers},
                        {"width", c.dim},
                        {"ffn", c.ffn},
                        {"heads", c.heads},
                        {"kv_heads", c.kv_heads},
                        {"head_width", c.key_dim},
                        {"vocabulary", c.vocab},
                        {"context", c.context},
                        {"tied_head", c.tied_head}};
        out["memory"] = {{"context", r.positions},
                         {"cache", cache_text(r.cache)},
                         {"packed_bytes", r.memory.packed},
                         {"mapped_bytes", r.memory.mapped},
                         {"cache_bytes", r.memory.cache},
                         {"scratch_bytes", r.memory.scratch},
                         {"vocabulary_bytes", r.memory.words},
                         {"all_bytes", r.memory.all()}};
    } catch (const error& e) {
        if (o.context > 0) throw;
        out["cannot_be_run"] = e.what();
    }
    // An array is described, not listed: a vocabulary is one.
    out["metadata"] = json::object();
    for (const gguf::entry& e : file.entries())
        out["metadata"][std::string(e.key)] = gguf::describe(e);
    out["types"] = json::array();
    for (const auto& [name, s] : sums_of(file))
        out["types"].push_back({{"type", name},
                                {"tensors", s.tensors},
                                {"weights", s.weights},
                                {"bytes", s.bytes},
                                {"bits_per_weight", s.bits()}});
    if (!o.tensors) return out;
    out["tensors"] = json::array();
    for (const gguf::tensor& t : file.tensors()) {
        const shown_tensor as = shown(file, t);
        out["tensors"].push_back(
            {{"name", t.name}, {"type", as.type}, {"extent", as.extent}, {"bytes", t.data.size()}});
    }
    return out;
}

void run(const info_options& o) {
    const gguf::reader file(o.path, o.read_as);
    if (!o.as_json) return print(file, o);
    // Names of a file may be no UTF-8.
    print_now(as_json(file, o).dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace

void add_info(CLI::App& app) {
    const auto o = std::make_shared<info_options>();
    CLI::App* command =
        app.add_subcommand("info", "Show what a GGUF file has, and what memory it takes to run");
    command->add_option("-m,--model", o->path, "GGUF file")->required()->type_name("FILE");
    command
        ->add_option("-c,--context", o->context,
                     "Memory for so many positions [the model's, up to 4096]")
        ->transform(whole_number(1, 1 << 26));
    add_cache(*command, o->cache);
    command->add_flag("--tensors", o->tensors, "Every tensor");
    command->add_flag("--json", o->as_json, "One JSON object instead of text");
    add_read_as(*command, o->read_as);
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
