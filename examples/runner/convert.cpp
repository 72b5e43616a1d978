// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a model of another program, a folder of Hugging Face's, or a GGUF
// file. Leaves: a GGUF file: a llama2.c checkpoint as it is, or the others with linear layers of
// the type that was asked for, or as packed images that the next start maps.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "conversion/encode.hpp"
#include "gguf/packed.hpp"
#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "huggingface/folder.hpp"
#include "llama2c/convert.hpp"
#include "runner/commands.hpp"
#include "runner/options.hpp"
#include "runner/targets.hpp"
#include "support/mapped_file.hpp"
#include "support/names.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

struct convert_options {
    std::string in, out, tokenizer, to, type, pre, embedding, head;
    bool ternarise = false;
    machine_options machine;
    std::vector<gguf::read_as> read_as;
};

constexpr const char *file_type_key = "general.file_type", *pre_key = "tokenizer.ggml.pre";

// Entries go over as they are, but for the keys that conversion makes untrue.
void copy_metadata(const gguf::reader& from, const conversion::target* to, const std::string& pre,
                   gguf::writer& out) {
    // Of packed images the old number tells what they were made of.
    const bool retyped = to != nullptr && !to->packed;
    const auto number = retyped ? file_type_of(*to) : std::nullopt;
    for (const gguf::entry& e : from.entries())
        if (e.key != "general.alignment" && (e.key != file_type_key || !retyped) &&
            (e.key != pre_key || pre.empty()) && (e.key != gguf::packed_key || to == nullptr))
            out.copy(e);
    if (number) out.set(file_type_key, *number);
    if (!pre.empty()) out.set(pre_key, pre);
    if (to != nullptr && to->packed)
        out.set(gguf::packed_key, std::uint32_t{TRILOBIT_PACKED_VERSION});
}

// What was asked for, and what may be lost on the way: --type takes what --to refuses.
struct wish {
    std::optional<conversion::target> to;
    conversion::permission may;
    std::vector<conversion::named_target> named;
};

constexpr const char *embedding_name = "token_embd.weight", *head_name = "output.weight";

wish wish_of(const convert_options& o) {
    if (!o.to.empty() && !o.type.empty())
        throw error("--type", "and --to say the same; give one of them");
    wish w;
    if (const std::string& name = o.to.empty() ? o.type : o.to; !name.empty())
        w.to = find_target(name);
    w.may = {.ternarise = o.ternarise || !o.type.empty(), .round = !o.type.empty()};
    if (!o.embedding.empty()) w.named.push_back({embedding_name, find_target(o.embedding)});
    if (!o.head.empty()) w.named.push_back({head_name, find_target(o.head)});
    return w;
}

void write_tensors(conversion::encoder& encoder, gguf::writer& out) {
    encoder.declare(out);
    support::progress_bar bar("converting");
    encoder.write(out, [&](double done) { bar.update(done); });
}

void tell(const conversion::encoder& encoder) {
    for (const conversion::loss& l : encoder.losses())
        (void)std::printf("%s: %s, relative RMS error %.4g\n", l.tensor.c_str(), l.what.c_str(),
                          l.error);
}

// A head that is to have a type of its own has a tensor of its own.
void part_head(std::vector<gguf::float_rows>& tensors) {
    const auto named = [&](const char* name) {
        return std::ranges::find(tensors, name, &gguf::float_rows::name);
    };
    const auto embedding = named(embedding_name);
    if (named(head_name) != tensors.end() || embedding == tensors.end()) return;
    gguf::float_rows head = *embedding;
    head.name = head_name;
    tensors.push_back(std::move(head));
}

conversion::encoder plan(model::compute& cpu, const std::string& file, const wish& w,
                         std::vector<gguf::float_rows> tensors) {
    if (std::ranges::find(w.named, head_name, &conversion::named_target::tensor) != w.named.end())
        part_head(tensors);
    support::progress_bar bar("reading");
    return {cpu,
            file,
            w.to.value_or(conversion::target{}),
            w.may,
            w.named,
            std::move(tensors),
            [&](double done) { bar.update(done); }};
}

void convert_gguf(const convert_options& o, const wish& w) {
    const gguf::reader from(o.in, o.read_as);
    if (!o.pre.empty() && from.get_or<std::string_view>("tokenizer.ggml.model", "") != "gpt2")
        throw error("--pre", o.in + " has no vocabulary of byte-level BPE, which alone is split");
    const bool packed = w.to ? w.to->packed : gguf::has_images(from);
    gguf::writer out(o.out, packed ? 64 : 32);
    copy_metadata(from, w.to ? &*w.to : nullptr, o.pre, out);
    model::compute cpu(o.machine.thread_count());
    conversion::encoder encoder = plan(cpu, o.in, w, conversion::rows_of(from, w.to.has_value()));
    write_tensors(encoder, out);
    from.require_whole();
    out.finish();
    tell(encoder);
}

// To read on in a file that one has just replaced would be right on some systems only.
void refuse_own_file(const std::string& folder, const std::string& out) {
    std::error_code ignored;
    for (const auto& each : std::filesystem::directory_iterator(folder, ignored))
        if (std::filesystem::equivalent(each.path(), out, ignored))
            throw error(out, "is a file of the model that is converted");
}

void convert_folder(const convert_options& o, const wish& w) {
    if (!w.to) throw error("--to", "to convert a folder, say what its linear layers shall become");
    if (!o.pre.empty()) throw error("--pre", "a folder's tokenizer says how its texts are split");
    refuse_own_file(o.in, o.out);
    const huggingface::folder from(o.in);
    gguf::writer out(o.out, w.to->packed ? 64 : 32);
    from.write_metadata(out);
    if (const auto number = file_type_of(*w.to)) out.set(file_type_key, *number);
    if (w.to->packed) out.set(gguf::packed_key, std::uint32_t{TRILOBIT_PACKED_VERSION});
    model::compute cpu(o.machine.thread_count());
    conversion::encoder encoder = plan(cpu, o.in, w, from.tensors());
    write_tensors(encoder, out);
    from.require_whole();
    out.finish();
    tell(encoder);
}

bool is_gguf(const std::string& path) {
    const support::mapped_file file(path);
    return file.bytes().size() >= 4 && std::memcmp(file.bytes().data(), "GGUF", 4) == 0;
}

void run(const convert_options& o) {
    const wish w = wish_of(o);
    if (std::filesystem::is_directory(o.in)) return convert_folder(o, w);
    if (is_gguf(o.in)) {
        if (!w.to && o.pre.empty() && w.named.empty())
            throw error("--to", "to convert a GGUF file, say what its linear layers shall become");
        return convert_gguf(o, w);
    }
    if (o.in.ends_with(".safetensors"))
        throw error(o.in, "is one file of a model: convert the folder that it lies in");
    if (o.tokenizer.empty())
        throw error("--tokenizer", "a llama2.c checkpoint needs its tokenizer file beside it");
    if (w.to || !w.named.empty())
        throw error(!o.to.empty()     ? "--to"
                    : !o.type.empty() ? "--type"
                                      : "--embedding",
                    "a llama2.c checkpoint is converted as F32; convert the result again");
    if (!o.pre.empty())
        throw error("--pre", "the vocabulary of a llama2.c checkpoint has no pre-tokenizer");
    llama2c::convert(o.in, o.tokenizer, o.out);
}

}  // namespace

void add_convert(CLI::App& app) {
    const auto o = std::make_shared<convert_options>();
    CLI::App* command = app.add_subcommand(
        "convert",
        "Make a GGUF file of a Hugging Face folder, a GGUF file or a llama2.c checkpoint");
    command->add_option("input", o->in, "Folder with config.json, GGUF file or llama2.c checkpoint")
        ->required()
        ->type_name("IN");
    command->add_option("-o,--output,output", o->out, "GGUF file to write")
        ->required()
        ->type_name("OUT");
    command->add_option("--tokenizer", o->tokenizer, "Tokenizer of the checkpoint")
        ->type_name("FILE");
    command
        ->add_option("--to", o->to,
                     "What the linear layers become, exactly or not at all; packed is mapped, in "
                     "the layout that fits: " +
                         support::listed(target_names()))
        ->type_name("NAME")
        ->check(one_of(target_names()));
    command
        ->add_option("--type", o->type,
                     "The same, and what --to refuses is rounded: floats to the type's nearest, "
                     "weights that are not ternary by BitNet's absmean")
        ->type_name("NAME")
        ->check(one_of(target_names()));
    const auto whole_tensor = [&](const char* option, std::string& name, const char* what) {
        command->add_option(option, name, what)->type_name("NAME")->check(one_of(number_names()));
    };
    whole_tensor("--embedding", o->embedding,
                 "What the embedding becomes, rounded if it must; and a head that is tied to it");
    whole_tensor("--head", o->head, "What the head becomes; one that is tied is parted for it");
    command->add_flag("--ternarize", o->ternarise,
                      "With --to, round weights that are not ternary by BitNet's absmean rule, and "
                      "say what that costs");
    command->add_option("-t,--threads", o->machine.threads, "Threads [one for each processor]")
        ->transform(whole_number(1, 1024));
    add_read_as(*command, o->read_as);
    add_pre(*command, o->pre);
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
