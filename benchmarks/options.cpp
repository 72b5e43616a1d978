// SPDX-License-Identifier: MIT
// Benchmarks. Enters: the command line. Leaves: options, with a default selection of rows that
// takes about a minute where the user made none.
#include "options.hpp"

#include <charconv>
#include <string_view>

namespace trilobit_bench {
namespace {

// The strongest back end and AVX2, in cache at every M and from DRAM at M = 1; everything else has
// rows too, and --benchmark_filter reaches them.
constexpr const char* default_rows =
    "^Gemm/((ternary|quaternary)_2bit/int8/dot|ternary_base3/int8/(dot|lookup)|binary_1bit/int8/"
    "dot|"
    "ternary_planes/(int2|sign)/popcount|ternary_base3/int4/lookup)/"
    "(avx2|avxvnni|avx512vnni)/N:2560/K:2560/M:(1|4|32|128)$"
    "|^Gemm/(ternary_2bit|ternary_base3|binary_1bit)/int8/vector_lookup/avx2/N:2560/K:2560/"
    "M:(32|128)$"
    "|^Gemm/(ternary_2bit|ternary_base3|binary_1bit)/int8/(dot|lookup)/"
    "(avx2|avx512vnni)/N:6912/K:2560/M:1/dram$"
    "|^Rival/.*/N:2560/K:2560/M:(1|128)$|^Rival/.*/N:6912/K:2560/M:1/dram$"
    "|^(Pack|Quantize|Primitive)/";

bool number(std::string_view text, int& value) {
    const char* last = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), last, value);
    return parsed.ec == std::errc{} && parsed.ptr == last;
}

bool read_scale(std::string_view text, trilobit::scale_spec& scale) {
    using trilobit::scale_spec;
    if (text == "tensor") {
        scale = scale_spec::tensor();
    } else if (text == "row") {
        scale = scale_spec::row();
    } else {
        int cols = 0;
        if (!number(text, cols) || !trilobit::valid_group(cols)) return false;
        scale = scale_spec::group(cols);
    }
    return true;
}

}  // namespace

options read_options(int argc, char** argv) {
    options o;
    bool filtered = false, timed = false;
    if (argc > 0) o.rest.emplace_back(argv[0]);
    for (int i = 1; i < argc; ++i) {
        const std::string_view a = argv[i];
        const auto value = a.substr(std::min(a.find('=') + 1, a.size()));
        if (a == "--list-kernels") {
            o.list_kernels = true;
        } else if (a == "--help") {
            o.help = true;
        } else if (a.starts_with("--threads=")) {
            if (!number(value, o.threads) || o.threads < 1 || o.threads > 1024)
                o.problem = "--threads: must be a number from 1 to 1024";
        } else if (a.starts_with("--scale=")) {
            if (!read_scale(value, o.scale))
                o.problem = "--scale: must be tensor, row, 32, 64, 128 or 256";
        } else if (a == "--regimes" || a.starts_with("--regimes=")) {
            o.regimes = true;
            o.regimes_file = a.substr(std::min(a.size(), std::string_view("--regimes=").size()));
            if (a.ends_with('=')) o.problem = "--regimes: the name of a file is missing";
        } else if (a.starts_with("--rounds=")) {
            if (!number(value, o.rounds) || o.rounds < 1 || o.rounds > 10000)
                o.problem = "--rounds: must be a number from 1 to 10000";
        } else {
            filtered |= a.starts_with("--benchmark_filter");
            timed |= a.starts_with("--benchmark_min_time");
            filtered |= a.starts_with("--benchmark_list_tests");
            o.rest.emplace_back(a);
        }
    }
    if (o.regimes && o.rest.size() > 1)
        o.problem = o.rest[1] + ": beside --regimes go --threads, --scale and --rounds only";
    if (!filtered) o.rest.emplace_back(std::string("--benchmark_filter=") + default_rows);
    if (!timed) o.rest.emplace_back("--benchmark_min_time=" TRILOBIT_BENCH_MIN_TIME);
    return o;
}

const char* help_text() {
    return R"(trilobit-bench [--threads=T] [--scale=tensor|row|32|64|128|256] [--list-kernels]
               [--benchmark_..]

  Gemm/<layout>/<activation>/<kernel>/<arch>/N:<n>/K:<k>/M:<m>        weights in cache if they fit
  Gemm/<layout>/<activation>/<kernel>/<arch>/N:<n>/K:<k>/M:<m>/dram   weights from DRAM in each call
  Gemm/<layout>/int8/dot/<arch>/N:<n>/K:<k>/M:1/zeros:<p>[/dram]      p % of activations are zero
  Rival/<name>/N:<n>/K:<k>/M:<m>[/dram]   Pack/<layout>   Quantize/<activation>/<arch>
  Primitive/<name>/<arch>                 Repack/<format>/<layout>/threads:<t>  not in the selection

Without --benchmark_filter=REGEX a selection runs, about a minute; --benchmark_list_tests lists all.
For figures to be quoted: --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true
--benchmark_out=FILE.json

  Counters are of the median call.
  mac_per_cycle   multiply-adds per cycle and core, quantisation of the activations included
  peak_fraction   of what the back end's dot product does from registers alone, measured before
                  and after each row
  gb_per_s        packed weights read
  read_fraction   of what the same threads read from DRAM, measured before and after each row;
                  above 1 where the weights come from a cache

trilobit-bench --regimes[=FILE.json] [--rounds=R] [--threads=T] [--scale=..]

  Each regime beside its target: the automatic kernel and its limit in R turns of a few
  milliseconds, or a third of R from DRAM; the share is the median of the turns' ratios.
)";
}

}  // namespace trilobit_bench
