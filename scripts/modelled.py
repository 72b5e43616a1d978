# SPDX-License-Identifier: MIT
"""Of loops: what llvm-mca says of a back end's main loops on named cores.

A model: every load hits the L1 cache, no branch is mispredicted, and the core is as LLVM knows it.
"""
import json
import re
import subprocess
import typing

from objects import LLVM, first_of, loops_of
from trees import fail

MCAS = tuple("llvm-mca" + version for version in LLVM)
CORES = {
    "neon": ["cortex-a53"],
    "neon_dotprod": ["cortex-a76", "neoverse-n1", "apple-m1"],
    "neon_i8mm": ["neoverse-v1", "neoverse-v2", "apple-m2"],
    "sve_256": ["neoverse-v1"],
    "sve_512": ["a64fx"],
    "rvv_128": ["sifive-p670"],
    "rvv_256": ["spacemit-x60"],
    "rvv_512": ["sifive-x280"],
}
TARGETS = {"arm": ("aarch64", "+dotprod,+i8mm,+sve"), "riscv": ("riscv64", "+v")}


def register_bytes(arch):
    bits = re.search(r"_(\d+)$", arch.name)
    return int(bits[1]) // 8 if bits else 16


class Machine(typing.NamedTuple):
    """multiply: the instructions that multiply bytes; macs: what one adds."""
    multiply: str
    macs: int
    loop: tuple  # nothing but these, with sums enough to wait for none


def repeated(text, sums=range(24)):
    return tuple(text.format(i, i % 4) for i in sums)


def machines(arch):
    """By what a loop multiplies with, of which it has the first that it holds."""
    n = register_bytes(arch)
    if arch.family == "riscv":
        start = f"vsetivli zero, {n}, e8, m1, ta, ma" if n < 32 else \
            f"li a0, {n}\n vsetvli zero, a0, e8, m1, ta, ma"
        products = repeated("vwmaccsu.vv v{}, v30, v31", range(0, 28, 2))
        return [Machine(r"vw(?:macc|mul)\w+\.v", n, (start, *products))]
    if arch.name.startswith("sve"):
        return [Machine("sdot", n, repeated("sdot z{}.s, z30.b, z7.b[{}]", range(8, 30)))]
    products = [Machine("usmmla", 32, repeated("usmmla v{}.4s, v30.16b, v31.16b"))]
    if arch.name == "neon_i8mm":
        products.append(Machine("usdot", 16, repeated("usdot v{}.4s, v30.16b, v31.4b[{}]")))
    low = repeated("smlal v{}.8h, v30.8b, v31.8b", range(0, 24, 2))
    high = repeated("smlal2 v{}.8h, v30.16b, v31.16b", range(1, 24, 2))
    return products + [Machine("sdot", 16, repeated("sdot v{}.4s, v30.16b, v31.4b[{}]")),
                       Machine("smlal2?", 8, tuple(i for two in zip(low, high) for i in two))]


class Kind(typing.NamedTuple):
    """function: a pattern with named groups of what stands in it; tokens: 1, or as many as there
    are. look: what is counted instead of products, and how many multiply-adds each is for so many
    bytes of a register; least: instructions of the technique for 256 weights and a token, without
    loads and jumps, by bytes of a register, products of an instruction and tokens."""
    title: str
    function: str
    tokens: int  # 0: the most there are
    bits: float
    least: object
    look: str = ""
    macs: object = None


def masked(v, d, t):
    """An AND or a shift for each field and a product for each, kernels.md of the research."""
    return 256 / v / t + 256 / d


DOT = r"dot_step<.*dot_fields<{}>, (?P<rows>\d+), (?P<tokens>\d+),"
FOUND = r"tb[lx]\s|vrgather"
COUNT = r"cnt\s"
ADD16 = r"add\s+[vz]\d+\.(?:8)?h|vadd\.vv"
KINDS = [
    Kind("2 bits, 1 token", DOT.format("layout::ternary_2bit"), 1, 2, masked),
    Kind("2 bits, few tokens", DOT.format("layout::ternary_2bit"), 0, 2, masked),
    Kind("2 bits, many tokens", DOT.format("kernel::panel_codes<2> ?"), 0, 2,
         lambda v, d, t: 256 / d),
    Kind("2 bits, many tokens, matrix", r"multiply_tile<(?P<rows>\d), false>", 0, 2,
         lambda v, d, t: 256 / d),
    Kind("2 bits, vector lookup", r"vector_lookup_any<.*ternary_2bit>::", 0, 2,
         lambda v, d, t: 1024 / (4 * v), ADD16, lambda v, t: 4 * v / 2),
    # Nine to split indices, for each half six lookups and additions, and one to widen.
    Kind("base 3, 1 token", r"base3_step<.*, 2, (?P<rows>\d+), (?P<tokens>\d+)>", 1, 1.6,
         lambda v, d, t: 23 / t * 256 / (5 * v), FOUND, lambda v, t: 5 * v / 6),
    # 27 to split, for each half eight lookups, eight additions with a sign, six to widen: 32 weights.
    Kind("3 of 4, 1 token", r"step_of_four<.*, 2, (?P<rows>\d+), (?P<tokens>\d+)>", 1, 1.25,
         lambda v, d, t: (27 / t + 60) * 8 / v, FOUND, lambda v, t: 2 * v),
    Kind("1 bit, 1 token", DOT.format("layout::binary_1bit"), 1, 1, masked),
    # Twelve to split, for each half eight lookups, five additions, nine to widen: 512 weights.
    Kind("1 bit, 1 token, lookups", r"binary_step16<.*, 2, (?P<rows>\d+), (?P<tokens>\d+)>", 1, 1,
         lambda v, d, t: (12 / t + 44) * 8 / v, FOUND, lambda v, t: 2 * v),
    Kind("1 bit, vector lookup", r"vector_lookup_any<.*binary_1bit>::", 0, 1,
         lambda v, d, t: 1024 / (8 * v), ADD16, lambda v, t: 8 * v / 2),
    Kind("1 bit x signs", r"planes_step<.*binary_1bit, activation::sign, (?P<rows>\d+), "
         r"(?P<tokens>\d+)>", 0, 1, lambda v, d, t: 96 / v, COUNT, lambda v, t: 8 * v),
    Kind("planes x signs", r"planes_step<.*ternary_planes, activation::sign, (?P<rows>\d+), "
         r"(?P<tokens>\d+)>", 0, 2, lambda v, d, t: (128 + 64 / t) / v, COUNT,
         lambda v, t: 8 * v * t / (t + 1)),
]


def products_of(loop, arch):
    """The machine whose instructions a loop has, and its multiply-adds."""
    for machine in machines(arch):
        count = sum(1 for text in loop.code if re.match(machine.multiply + r"(?:\s|v)", text))
        if count:
            return machine, count * machine.macs
    return None, 0


def chosen(kind, loops, arch):
    """The main loop of a kind, its tokens and its multiply-adds: of the largest register tile
    the loop with the most products."""
    best = None
    for loop in loops:
        found = re.search(kind.function, loop.name)
        if not found:
            continue
        shape = found.groupdict()
        tokens, rows = int(shape.get("tokens") or 1), int(shape.get("rows") or 1)
        if kind.tokens and tokens != kind.tokens:
            continue
        macs = products_of(loop, arch)[1]
        if kind.look:
            macs = sum(1 for text in loop.code if re.match(kind.look, text)) * \
                kind.macs(register_bytes(arch), tokens)
        key = tokens, rows, macs, -loop.length
        if macs and (best is None or key > best[0]):
            best = key, loop, tokens, macs
    return best and best[1:]


class Model(typing.NamedTuple):
    cycles: float
    bound: str


def assembly(loop, arch):
    """What assemblers take: jumps lead to the loop's start, addresses are gone."""
    lines = []
    code = loop.code
    if arch.family == "riscv":
        setting = next((t for t in reversed(code) if t.startswith("vset")), loop.setting)
        if vtype := re.search(r"(e\d+), (m\w+)", setting):
            lines += [f"# LLVM-MCA-RISCV-LMUL {vtype[2].upper()}",
                      f"# LLVM-MCA-RISCV-SEW {vtype[1].upper()}"]
    lines.append("again:")
    for text in code:
        text = re.sub(r"\s*//.*", "", text)
        lines.append(re.sub(r"(?:0x)?[0-9a-f]+ <.*>$", "again", text))
    return "\n".join(lines) + "\n"


def run(text, arch, core):
    tool = first_of(MCAS, "--cores")
    triple, attributes = TARGETS[arch.family]
    done = subprocess.run([tool, f"-mtriple={triple}", f"-mcpu={core}", f"-mattr={attributes}",
                           "-iterations=300", "-json"], input=text, capture_output=True, text=True)
    if done.returncode != 0 or not done.stdout.startswith("{"):
        fail(f"{tool} cannot model {core}: {(done.stderr.splitlines() or ['it says nothing'])[0]}")
    return json.loads(done.stdout)


def modelled(text, arch, core):
    """Cycles of one iteration, and what takes as many: a core's units, its dispatch, or neither,
    when instructions wait for each other."""
    said = run(text, arch, core)
    region, names = said["CodeRegions"][0], said["TargetInfo"]["Resources"]
    summary, last = region["SummaryView"], len(region["Instructions"])
    cycles = summary["TotalCycles"] / summary["Iterations"]
    use = {"dispatch": summary["TotaluOps"] / summary["Iterations"] / summary["DispatchWidth"]}
    for r in region["ResourcePressureView"]["ResourcePressureInfo"]:
        if r["InstructionIndex"] == last:
            use[re.sub(r"\.?[\x00-\x1f]+$", "", names[r["ResourceIndex"]])] = r["ResourceUsage"]
    most = max(use.values())
    if most < 0.9 * cycles:
        return Model(cycles, f"waits (units {most / cycles:.0%})")
    return Model(cycles, " ".join(sorted(n for n, v in use.items() if v > 0.97 * most)))


def peak(machine, arch, core):
    """Multiply-adds a cycle of a loop of nothing but products."""
    text = "\n".join(machine.loop) + "\n"
    lines = sum(1 for l in machine.loop if re.match(machine.multiply + r"(?:\s|v)", l))
    return lines * machine.macs / modelled(text, arch, core).cycles


class Row(typing.NamedTuple):
    kind: Kind
    loop: object
    tokens: int
    instructions: float  # for 256 weights and a token
    least: float
    cycles: float
    rate: float  # multiply-adds a cycle
    share: float  # of what nothing but products makes
    weights: float  # bytes a cycle
    bound: str


def measured(loops, arch, core):
    """What nothing but products makes, by instruction, and the main loops."""
    used = [m for m in machines(arch) if any(products_of(loop, arch)[0] == m for loop in loops)]
    peaks = {m.multiply: peak(m, arch, core) for m in used}
    rows = []
    for kind in KINDS:
        if not (found := chosen(kind, loops, arch)):
            continue
        loop, tokens, macs = found
        machine = products_of(loop, arch)[0] or used[-1]
        model = modelled(assembly(loop, arch), arch, core)
        rate = macs / model.cycles
        rows.append(Row(kind, loop, tokens, 256 * loop.length / macs,
                        kind.least(register_bytes(arch), machine.macs, tokens), model.cycles, rate,
                        rate / peaks[machine.multiply], rate / tokens * kind.bits / 8, model.bound))
    return peaks, rows


def print_modelled(file, arch, cores, verbose):
    loops = list(loops_of(file, arch))
    for core in cores:
        peaks, rows = measured(loops, arch, core)
        print(f"\n{arch.name} on {core}: " + ", ".join(
            f"{name} {value:.3g} MAC/cycle" for name, value in peaks.items()))
        print(f"{'loop':29} {'of':>6} {'least':>6} {'cycles':>7} {'MAC/cycle':>9} {'share':>6} "
              f"{'B/cycle':>7}  bound by")
        for r in rows:
            title = r.kind.title.replace("few", str(r.tokens))
            weights = f"{r.weights:.2f}" if r.kind.tokens == 1 else ""
            print(f"{title:29} {r.instructions:6.1f} {r.least:6.1f} {r.cycles:7.1f} {r.rate:9.1f} "
                  f"{r.share:6.0%} {weights:>7}  {r.bound}")
            if verbose and core == cores[0]:
                print(f"    {r.loop.name}", *r.loop.code, sep="\n        ")


TABLE = {"2 bits, 1 token": "2 bits, 1 token", "2 bits, few": "2 bits, few tokens",
         "2 bits, many": "2 bits, (many|vector)", "base 3": "base 3", "1 bit": "1 bit, 1 token"}


def print_table(file, arch, cores):
    """A row of docs/performance.md for each core; of several ways the fastest."""
    loops = list(loops_of(file, arch))
    for core in cores:
        peaks, rows = measured(loops, arch, core)
        cells = [f"`{arch.name}`, {core}", f"{max(peaks.values()):.0f}"]
        for pattern in TABLE.values():
            found = [r for r in rows if re.match(pattern, r.kind.title)]
            best = max(found, key=lambda r: r.rate, default=None)
            if best is None:
                cells.append("-")
                continue
            text = f"{best.instructions:.0f} / {best.least:.0f}, {best.rate:.1f}"
            if best.kind.tokens == 1:
                text += f", {best.weights:.1f} B"
            else:
                text += f", {best.share:.0%}".replace("%", " %")
            cells.append(text + (" (lookup)" if "lookup" in best.kind.title else ""))
        print("| " + " | ".join(cells) + " |")
