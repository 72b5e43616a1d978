// SPDX-License-Identifier: MIT
// Products by WebAssembly, timed in Node.js or in a browser:
//   node [--experimental-wasm-relaxed-simd] benchmarks/web/products.mjs MODULE.wasm...
// scripts/bench-web runs it in both.

const layouts = ["2 bits", "base 3", "1 bit"];
export const shapes = [[2048, 2048], [6144, 2048], [2048, 6144]];
const tokenCounts = [1, 8, 32];
const ways = ["i32x4.dot_i16x8", "i32x4.relaxed_dot_i8x16_i7x16_add", "i16x8.relaxed_dot_i8x16_i7x16"];
const rounds = 5, aboutSeconds = 0.06;

const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];

async function open(bytes) {
    const module = await WebAssembly.compile(bytes);
    const memory = () => instance.exports.memory.buffer;
    const system = {
        environ_sizes_get: (count, size) => {
            new DataView(memory()).setUint32(count, 0, true);
            new DataView(memory()).setUint32(size, 0, true);
            return 0;
        }
    };
    const imports = {};
    for (const {module: from, name} of WebAssembly.Module.imports(module))
        (imports[from] ??= {})[name] = system[name] ?? (() => 0);
    const instance = await WebAssembly.instantiate(module, imports);
    instance.exports._initialize();
    const e = instance.exports;
    const name = new TextDecoder().decode(new Uint8Array(memory(), e.backend(), e.backend_bytes()));
    return {e, name};
}

/** Seconds of one of them. */
function time(call) {
    let times = 1;
    for (;;) {
        const begun = performance.now();
        call(times);
        const seconds = (performance.now() - begun) / 1000;
        if (seconds > aboutSeconds) return seconds / times;
        times = Math.ceil(times * Math.min(aboutSeconds * 1.2 / Math.max(seconds, 1e-4), 20));
    }
}

/** A list of {backend, layout, rows, cols, tokens, gmacs, share}; share: of the bound. */
export async function measure(modules, say = () => {}) {
    const opened = await Promise.all(modules.map(open));
    const found = new Map();
    const note = (key, value) => found.set(key, [...(found.get(key) ?? []), value]);
    const plans = layouts.flatMap((_, layout) =>
        shapes.flatMap(([rows, cols]) => tokenCounts.map((tokens) => [layout, rows, cols, tokens])));
    for (let round = 0; round < rounds; ++round) {
        for (const {e, name} of opened) {
            let dot = 0;  // the best of its ways
            for (const way of ways.keys()) {
                if (e.bound_macs(way) === 0) continue;
                const gmacs = e.bound_macs(way) / time((n) => e.bound(way, n)) / 1e9;
                note(`${name} bound ${way}`, gmacs);
                dot = Math.max(dot, gmacs);
            }
            for (const plan of plans) {
                if (e.prepare(...plan) !== 0) throw new Error("it does not pack");
                const [, rows, cols, tokens] = plan;
                const seconds = time((n) => { if (e.run(n) !== 0) throw new Error("it does not run"); });
                const gmacs = rows * cols * tokens / seconds / 1e9;
                note(`${name} ${plan}`, {gmacs, share: gmacs / dot});
            }
        }
        say(`round ${round + 1} of ${rounds}`);
    }
    return opened.flatMap(({name}) => [
        ...[...ways.keys()].filter((way) => found.has(`${name} bound ${way}`)).map((way) =>
            ({backend: name, layout: ways[way], gmacs: median(found.get(`${name} bound ${way}`))})),
        ...plans.map((plan) => {
            const all = found.get(`${name} ${plan}`);
            const [layout, rows, cols, tokens] = plan;
            return {backend: name, layout: layouts[layout], rows, cols, tokens,
                gmacs: median(all.map((a) => a.gmacs)), share: median(all.map((a) => a.share))};
        })
    ]);
}

/** A line for each back end, layout and shape, with the token counts beside one another. */
export function table(list) {
    const lines = ["| back end | weights | rows x columns | tokens: " + tokenCounts.join(", ") +
        " (GMAC/s) | share of the best dot product |", "|---|---|---|---|---|"];
    for (const backend of new Set(list.map((r) => r.backend))) {
        for (const bound of list.filter((r) => r.backend === backend && r.rows === undefined))
            lines.push(`| ${backend} | ${bound.layout}, registers alone | | ${bound.gmacs.toFixed(1)} | |`);
        for (const layout of layouts) for (const [rows, cols] of shapes) {
            const some = tokenCounts.map((tokens) => list.find((r) => r.backend === backend &&
                r.layout === layout && r.rows === rows && r.cols === cols && r.tokens === tokens));
            lines.push(`| ${backend} | ${layout} | ${rows} x ${cols} | ` +
                `${some.map((r) => r.gmacs.toFixed(1)).join(", ")} | ` +
                `${some.map((r) => (100 * r.share).toFixed(0)).join(", ")} % |`);
        }
    }
    return lines.join("\n");
}

if (typeof process !== "undefined" && process.argv[1]?.endsWith("products.mjs")) {
    const {readFileSync} = await import("node:fs");
    const list = await measure(process.argv.slice(2).map((path) => readFileSync(path)),
        (text) => console.error(`products: ${text}`));
    console.log(process.env.TRILOBIT_JSON ? JSON.stringify(list) : table(list));
}
