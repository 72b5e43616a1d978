# SPDX-License-Identifier: MIT
"""Of loops: the object of a back end, for any family of processors, and its innermost loops."""
import collections
import re
import shutil
import typing

from trees import COMPILER, build, configure, fail, need, output


class Family(typing.NamedTuple):
    """How a family's code is made and read. jump: what ends with an address; hot: what multiplies,
    looks up or counts bytes; store, fetch: of a vector register to the stack, and back."""
    compilers: tuple
    objdumps: tuple
    cmake: tuple
    jump: str
    hot: str
    store: str = "$^"
    fetch: str = "$^"


LLVM = [f"-{version}" for version in range(25, 13, -1)] + [""]
CLANGS = tuple("clang++" + version for version in LLVM)
LLVM_OBJDUMPS = tuple("llvm-objdump" + version for version in LLVM)
X86 = Family((COMPILER,), ("objdump",), (), r"j\w+",
             r"(?:\{\w+\} )?(v?pdpbusd|v?pmaddubsw|v?pmaddwd|tdpb\w+|v?pshufb|vperm(?:b|[it]2b)"
             r"|v?popcnt[bwdq]|v?psadbw)\b",
             r".*%[xyz]mm\d+,-?[0-9a-fx]*\(%rsp", r".*[\s,]-?[0-9a-fx]*\(%rsp\S*,%[xyz]mm")
FAMILIES = {
    "any": X86,
    "x86": X86,
    "arm": Family(("aarch64-linux-gnu-g++",), ("aarch64-linux-gnu-objdump",),
                  ("-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64"),
                  r"(?:b\.?\w*|cbn?z|tbn?z)",
                  r"([us]{0,2}dot|usmmla|smlal2?|smull2?|tb[lx]|cnt)\s+[vz]\d",
                  r"st\w+\s+\{?[qdvz]\d.*\[sp", r"ld\w+\s+\{?[qdvz]\d.*\[sp"),
    # Only spills store whole registers: of their exact length a source knows nothing.
    "riscv": Family(CLANGS, LLVM_OBJDUMPS,
                    ("-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=riscv64",
                     "-DCMAKE_CXX_COMPILER_TARGET=riscv64-linux-gnu"),
                    r"(?:b\w+|j)", r"(vwmacc\w+\.v\w|vwmul\w*\.v\w|vrgather\.vv|vcpop\.v)\b",
                    r"vs(?:[1248]r\.v|e\d+\.v.*\(sp\))",
                    r"vl(?:[1248]r(?:e\d+)?\.v|e\d+\.v.*\(sp\))"),
    # Engines know what is spilled. llvm-objdump knows no relaxed instruction: <unknown> is one.
    "wasm": Family(CLANGS, LLVM_OBJDUMPS,
                   ("-DCMAKE_SYSTEM_NAME=Generic", "-DCMAKE_SYSTEM_PROCESSOR=wasm32",
                    "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY",
                    "-DCMAKE_CXX_COMPILER_TARGET=wasm32-wasi", "-DCMAKE_CXX_FLAGS=-Wno-deprecated"),
                   r"br(?:_if)?",
                   r"(i32x4\.dot\w+|i16x8\.extmul\w+|i8x16\.swizzle|i8x16\.popcnt|<unknown>)"),
}
# Of a stack machine's instructions these cost nothing.
FREE_IN_WASM = re.compile(r"local\.|\w+\.const|block|end|loop|return")
LEAST_HOT = 2


class Loop(typing.NamedTuple):
    """setting: the last vsetvli before it, which holds where it has none."""
    length: int
    name: str
    code: tuple
    setting: str = ""


class Arch(typing.NamedTuple):
    name: str
    family: str

    @property
    def of(self):
        return FAMILIES[self.family]


def archs(tree):
    text = (tree / "cmake/trilobit_per_arch.cmake").read_text()
    return {name: Arch(name, family)
            for family, name in re.findall(r"trilobit_add_arch\((\w+) (\w+)", text)}


def first_of(tools, why):
    found = next((tool for tool in tools if shutil.which(tool)), None)
    return found or fail(f"{why} needs {tools[0]}, which is not there: see scripts/bootstrap")


def object_of(tree, arch, jobs):
    """The tree's back end, compiled alone."""
    compiler = first_of(arch.of.compilers, arch.name)
    need("cmake", "ninja")
    folder = configure(tree, f"loops-{arch.name}", [arch.name], compiler, arch.of.cmake)
    targets = output("ninja", "-C", folder, "-t", "targets", "all").stdout
    name = rf"^(\S*trilobit_backends\S*[/_]arch_{arch.name}\.cpp\.o(?:bj)?):"
    found = re.search(name, targets, re.M)
    if found is None:
        fail(f"{compiler} does not know {arch.name}")
    build(folder, found[1], jobs)
    return folder / found[1]


def functions(file, arch):
    """Name, and instructions by their addresses, of each function."""
    tool = first_of(arch.of.objdumps, arch.name)
    done = output(tool, "-d", "-C", "--no-show-raw-insn", file)
    if done.returncode != 0:
        fail(f"{tool} cannot read {file}")
    name, code = None, []
    for line in done.stdout.splitlines():
        if label := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            if name:
                yield name, code
            name, code = re.sub(r"trilobit::(v\w+::)?", "", label[1]), []
        elif instruction := re.match(r" +([0-9a-f]+):\s+(\S.*)", line):
            code.append((int(instruction[1], 16), instruction[2]))
    if name:
        yield name, code


def target(text, arch, labels):
    """Where a jump leads, if this is one."""
    if arch.family == "wasm":
        found = re.match(r"br(?:_if)?\s.*up to (label\d+)", text)
        return labels.get(found[1]) if found else None
    found = re.match(arch.of.jump + r"\s+(?:.*,\s*)?(?:0x)?([0-9a-f]+)(?:\s|$)", text)
    return int(found[1], 16) if found else None


def innermost(code, arch):
    """The first and the last instruction of each loop without a loop in it."""
    places, labels, jumps_back = {address: i for i, (address, _) in enumerate(code)}, {}, []
    for i, (address, text) in enumerate(code):
        if label := re.match(r"loop\s+# (label\d+):", text):
            labels[label[1]] = address
        first = places.get(target(text, arch, labels))
        if first is not None and first <= i:
            if not any(first <= other < i for other in jumps_back):
                yield first, i
            jumps_back.append(i)


def loops_of(file, arch):
    for name, code in functions(file, arch):
        for first, last in innermost(code, arch):
            text = tuple(t for _, t in code[first:last + 1]
                         if arch.family != "wasm" or not FREE_IN_WASM.match(t))
            before = [t for _, t in code[:first] if t.startswith("vset")]
            yield Loop(len(text), name, text, before[-1] if before else "")


def hot_of(loop, arch):
    return collections.Counter(m[1] for text in loop.code if (m := re.match(arch.of.hot, text)))


# Steps that are made for one layout do not name it.
STEPS = {"base3_step": "ternary_base3", "binary_step": "binary_1bit", "panel": "panel",
         "step_of_four": "ternary_3of4"}


def layout_of(name):
    if named := re.search(r"layout::(\w+)", name):
        return named[1]
    return next((layout for step, layout in STEPS.items() if step in name), "-")


def hot_loops(file, arch):
    """(layout, its hot instructions) of each kind of loop: the loops."""
    kinds = collections.defaultdict(list)
    for loop in loops_of(file, arch):
        hot = hot_of(loop, arch)
        if sum(hot.values()) >= LEAST_HOT:
            kinds[layout_of(loop.name), tuple(sorted(hot.items()))].append(loop)
    if not kinds:
        fail(f"{file.name} has no hot loop")
    return {kind: sorted(found) for kind, found in kinds.items()}


class Spills(typing.NamedTuple):
    stores: int
    fetches: int


def spills(loop, hot, arch):
    """What a loop stores to the stack and fetches, if that is too much: as hot_loops.sh, one store
    beside eight products is let pass, and constants read from the stack cost little. Loops that
    fold sums keep those on the stack by intent: they are not main loops, and widen.
    """
    found = Spills(*(sum(1 for text in loop.code if re.match(pattern, text))
                     for pattern in (arch.of.store, arch.of.fetch)))
    return found if hot >= 4 and 8 * found.stores > hot else None
