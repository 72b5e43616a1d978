// SPDX-License-Identifier: MIT
// Runs in a browser: tokens a second of this engine and of wllama, on the same file, one thread
// each, in turns. What they write differs where they round differently; how much does not.
import {Engine} from "../../examples/web/engine.mjs";
import {Wllama} from "../../build/web-tools/node_modules/@wllama/wllama/esm/index.js";

const at = (path) => new URL(`../../${path}`, import.meta.url).href;
const prompt = "Once upon a time there was a little girl who";

async function* partsOf(blob) {
    for (let from = 0; from < blob.size; from += 1 << 24)
        yield new Uint8Array(await blob.slice(from, from + (1 << 24)).arrayBuffer());
}

/** One that answers decode(n) with seconds for each token, after a prompt. */
export async function ours(module, blob) {
    const engine = await Engine.of(await WebAssembly.compileStreaming(fetch(at(module))));
    await engine.load("model", blob.size, partsOf(blob));
    engine.settings({temperature: 0});
    return {
        name: `trilobit, ${engine.facts().backend}`,
        decode: async (count) => {
            engine.begin(prompt);
            let made = -1, begun;
            while (made < count) {
                if (made === 0) begun = performance.now();
                ++made;
                if (engine.next().end !== undefined) break;
            }
            return {seconds: (performance.now() - begun) / 1000 / made, made};
        }
    };
}

export async function theirs(blob) {
    const quiet = {debug() {}, log() {}, warn() {}, error() {}};
    const wllama = new Wllama({default: at("build/web-tools/node_modules/@wllama/wllama/esm/wasm/wllama.wasm")},
        {logger: quiet});
    await wllama.loadModel([blob], {n_threads: 1, n_ctx: 512, n_gpu_layers: 0, n_parallel: 1, warmup: false});
    return {
        name: `wllama 3.13.0 (llama.cpp ${Wllama.getLibllamaVersion()})`,
        decode: async (count) => {
            // As it measures itself, in the answer, which leaves messages between threads out.
            const answer = await wllama.createCompletion({prompt, max_tokens: count, temperature: 0,
                ignore_eos: true, timings_per_token: true, cache_prompt: false});
            const t = answer.timings;
            if (t === undefined) throw new Error(JSON.stringify(answer).slice(0, 300));
            return {seconds: t.predicted_ms / 1000 / t.predicted_n, made: t.predicted_n};
        }
    };
}

const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];

/** A list of {name, tokens, runs}; tokens: the median of tokens a second. */
export async function compare({model, modules, count, rounds}, say = () => {}) {
    const blob = await (await fetch(at(model))).blob();
    const all = [];
    for (const module of modules) all.push(await ours(module, blob));
    all.push(await theirs(blob));
    const runs = all.map(() => []);
    for (let round = 0; round < rounds; ++round) {
        for (const [i, one] of all.entries()) {
            const {seconds, made} = await one.decode(count);
            runs[i].push(1 / seconds);
            say(`round ${round + 1}, ${one.name}: ${(1 / seconds).toFixed(2)} tokens/s (${made})`);
        }
    }
    return all.map((one, i) => ({name: one.name, tokens: median(runs[i]), runs: runs[i]}));
}
