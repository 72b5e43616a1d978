// SPDX-License-Identifier: MIT
// Room web. Enters: the module, compiled, and models. Leaves: an engine that tells stories. Runs in
// pages, workers and Node.js; scripts/page puts it into the page's worker.

import {Patterns, asText} from "./patterns.mjs";

/** Has the words for a person, and nothing else. The engine that threw it is of no more use. */
export class EngineError extends Error {}

/** What the WebAssembly of this place can do: "relaxed_simd", "simd128" or "". */
export function simdOfThisPlace() {
    // A function of two vectors: i32x4.dot_i16x8_s, and i16x8.relaxed_dot_i8x16_i7x16_s.
    const uses = (...instruction) => WebAssembly.validate(Uint8Array.of(
        0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 123, 123, 1, 123, 3, 2, 1, 0,
        10, 8 + instruction.length, 1, 6 + instruction.length, 0, 32, 0, 32, 1, ...instruction, 11));
    if (uses(0xfd, 0x92, 0x02)) return "relaxed_simd";
    return uses(0xfd, 0xba, 0x01) ? "simd128" : "";
}

const utf8 = new TextEncoder();

const stackBytes = 1 << 18;

function sharedMemory() {
    for (let pages = 65536; ; pages /= 2) {
        try {
            return new WebAssembly.Memory({initial: 512, maximum: pages, shared: true});
        } catch (error) {
            if (pages <= 8192) throw new EngineError("the memory of this page does not suffice");
        }
    }
}

/** What a module imports, of what there is; other calls of a system answer that it has none. */
function importsOf(module, known) {
    const imports = {};
    for (const {module: from, name} of WebAssembly.Module.imports(module))
        (imports[from] ??= {})[name] = known[from]?.[name] ?? (() => 52);
    return imports;
}

/** The life of a worker that helps: it begins to serve, after `begun`, and does not return. */
export async function helper({module, memory, stack, tls}, begun) {
    const page = {fail: () => { throw new EngineError("a thread of the engine has stopped"); }};
    const {exports} = await WebAssembly.instantiate(module, importsOf(module, {page, env: {memory}}));
    exports.__stack_pointer.value = stack;
    exports.__wasm_init_tls(tls);
    begun();
    try {
        exports.serve();
    } catch {
        exports.lost();
    }
}

export class Engine {
    #memory;
    #calls;
    #pieces = new TextDecoder();
    #atStart = false;
    /** Called with the part of the weights that load() has packed, 0 to 1. */
    onPacked = () => {};

    #threads = 1;

    /**
     * `module`: a WebAssembly.Module. One that was made for threads gets as many helpers as
     * `startHelper` starts: called with what helper() needs, it starts a worker that calls that, and
     * answers when it has begun to serve.
     */
    static async of(module, {threads = 1, startHelper} = {}) {
        const engine = new Engine();
        const shared = WebAssembly.Module.imports(module).some((i) => i.kind === "memory");
        const memory = shared ? sharedMemory() : undefined;
        const patterns = new Patterns();
        const page = {
            fail: (text, bytes) => {
                throw new EngineError(asText.decode(engine.#bytes(text, bytes).slice()));
            },
            progress: (part) => engine.onPacked(part),
            pattern: (text) => patterns.add(engine.#text(text)),
            match: (number, text, bytes, from, offsets) => {
                const found = patterns.match(number, () => engine.#bytes(text, bytes).slice(), from);
                if (found === undefined) return 0;
                new Uint32Array(engine.#memory.buffer, offsets, 2).set(found);
                return 1;
            }
        };
        // Of a system there is a little: no environment, and a stream for last words.
        const system = {
            environ_sizes_get: (count, bytes) => {
                const view = new DataView(engine.#memory.buffer);
                view.setUint32(count, 0, true);
                view.setUint32(bytes, 0, true);
                return 0;
            },
            environ_get: () => 0,
            fd_write: (_, list, count, written) => {
                const view = new DataView(engine.#memory.buffer);
                let bytes = 0;
                for (let i = 0; i < count; ++i) {
                    const [at, length] = [0, 4].map((k) => view.getUint32(list + 8 * i + k, true));
                    console.error(asText.decode(engine.#bytes(at, length).slice()));
                    bytes += length;
                }
                view.setUint32(written, bytes, true);
                return 0;
            },
            proc_exit: (code) => {
                throw new EngineError(`the module ended with ${code}`);
            }
        };
        const {exports} = await WebAssembly.instantiate(module, importsOf(module, {page,
            wasi_snapshot_preview1: system, env: {memory}}));
        engine.#memory = memory ?? exports.memory;
        engine.#calls = exports;
        engine.#call("_initialize");
        if (shared) await engine.#start(module, threads, startHelper);
        return engine;
    }

    async #start(module, threads, startHelper) {
        const align = (at, to) => Math.ceil(at / to) * to;
        const {__tls_size: size, __tls_align: alignment} = this.#calls;
        const starting = [];
        for (this.#threads = 1; this.#threads < threads; ++this.#threads) {
            const room = this.#call("reserve", stackBytes + size.value + alignment.value + 16) >>> 0;
            if (room === 0) break;
            const stack = Math.floor((room + stackBytes) / 16) * 16;
            const tls = align(stack, Math.max(alignment.value, 16));
            starting.push(startHelper({module, memory: this.#memory, stack, tls}));
        }
        await Promise.all(starting);
    }

    // Decoders take no shared memory, so a text is a copy.
    #bytes(at, count) {
        return new Uint8Array(this.#memory.buffer, at >>> 0, count >>> 0);
    }
    #text(at) {
        const all = this.#bytes(at, this.#memory.buffer.byteLength - (at >>> 0));
        return asText.decode(all.slice(0, all.indexOf(0)));
    }
    #call(name, ...values) {
        try {
            return this.#calls[name](...values);
        } catch (error) {
            if (error instanceof EngineError) throw error;
            throw new EngineError(`the engine stopped: ${error.message}`);
        }
    }
    #withText(text, call) {
        const bytes = utf8.encode(text);
        const at = this.#call("reserve", bytes.length + 1);
        if (at === 0) throw new EngineError("the memory of this page does not suffice");
        this.#bytes(at, bytes.length + 1).set([...bytes, 0]);
        const answer = call(at);
        this.#call("release", at);
        return answer;
    }

    async #read(name, size, parts, progress) {
        const most = 2 ** 31 - 2 ** 16;
        const at = size > most ? 0 : this.#call("reserve", size) >>> 0;
        if (at === 0)
            throw new EngineError(`${name} has ${(size / 1e9).toFixed(1)} GB, more than ` +
                (size > most ? "the 2.1 GB that a page can hold" : "this page gets memory for"));
        let read = 0;
        for await (const part of parts) {
            if (read + part.length > size) throw new EngineError(`${name} grew while it was read`);
            this.#bytes(at + read, part.length).set(part);
            read += part.length;
            progress(read / size);
        }
        if (read < size) throw new EngineError(`${name} was cut short while it was read`);
        return at;
    }

    /**
     * Reads `size` bytes, which come in parts, as a GGUF file. `base3` packs five weights into a
     * byte instead of four. `progress` gets the part that is read, 0 to 1.
     */
    async load(name, size, parts, {base3 = false, progress = () => {}} = {}) {
        const at = await this.#read(name, size, parts, progress);
        this.#withText(name, (text) => this.#call("load", text, at, size, base3 ? 1 : 0,
            this.#threads));
    }

    /** The vocabulary of a file alone; `pre` may name another rule than the file does. */
    async loadWords(name, size, parts, pre = "") {
        const at = await this.#read(name, size, parts, () => {});
        this.#withText(name, (text) => this.#withText(pre, (rule) =>
            this.#call("load_words", text, at, size, rule)));
        this.#call("release", at);
    }

    tokenise(text) {
        const count = this.#withText(text, (at) => this.#call("tokenise", at));
        return [...new Int32Array(this.#memory.buffer, this.#call("tokens") >>> 0, count)];
    }

    facts() {
        return JSON.parse(this.#text(this.#call("facts")));
    }

    /** As the command line's --temp, --top-k, --top-p and --seed; a whole number below 2^64. */
    settings({temperature = 0, topK = 0, topP = 1, seed = 0n} = {}) {
        const whole = BigInt.asUintN(64, BigInt(seed));
        this.#call("settings", temperature, topK, topP, Number(whole & 0xffffffffn) | 0,
            Number(whole >> 32n) | 0);
    }

    /** Begins a text and returns how many tokens it has, or undefined where they do not fit. */
    begin(text) {
        const tokens = this.#withText(text, (at) => this.#call("begin", at));
        if (tokens < 0) return undefined;
        this.#pieces = new TextDecoder();
        this.#atStart = text === "" && this.#call("space_first") === 1;
        return tokens;
    }

    #textOf(id) {
        const at = this.#call("text_of", id, 0);
        return this.#bytes(at, this.#call("text_bytes")).slice();
    }

    /** {id, text}, or {end: "text"} when the model ends it, {end: "full"} when nothing more fits. */
    next() {
        const id = this.#call("next");
        if (id < 0) return {end: id === -1 ? "text" : "full"};
        return {id, text: this.#shown(id)};
    }
    #shown(id) {
        const text = this.#pieces.decode(this.#textOf(id), {stream: true});
        const cut = this.#atStart && text.startsWith(" ");
        if (text !== "") this.#atStart = false;
        return cut ? text.slice(1) : text;
    }

    /** The likeliest at the token that next() has just drawn: [{id, text, probability}]. */
    candidates(most) {
        const count = this.#call("rank", most);
        const at = this.#call("candidates") >>> 0;
        const view = new DataView(this.#memory.buffer, at, 8 * count);
        return Array.from({length: count}, (_, i) => {
            const [id, probability] = [view.getInt32(8 * i, true), view.getFloat32(8 * i + 4, true)];
            return {id, text: asText.decode(this.#textOf(id)), probability};
        });
    }

    /** Keeps the first `count` tokens, puts `id` behind them, and returns its text. */
    branch(count, id) {
        this.#call("branch", count, id);
        this.#pieces = new TextDecoder();
        return id < 0 ? "" : this.#shown(id);
    }
}
