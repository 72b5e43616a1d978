// SPDX-License-Identifier: MIT
// The engine by itself, in Node.js: the stories of the command line, its tokens, and hostile files.
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {existsSync, readFileSync} from "node:fs";
import path from "node:path";
import {test} from "node:test";
import {fileURLToPath} from "node:url";

import {Engine, EngineError} from "../../../examples/web/engine.mjs";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const box = path.join(root, "examples/models/stories-ternary.gguf");
const model = readFileSync(box);
const compiled = await WebAssembly.compile(
    readFileSync(path.join(root, "build/web/simd128/trilobit_web.wasm")));
const program = (...args) => execFileSync(process.env.TRILOBIT_PROGRAM, args, {encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"]});

async function opened(bytes = model, how = {}) {
    const engine = await Engine.of(compiled);
    await engine.load("a.gguf", bytes.length, [bytes], how);
    return engine;
}

function story(engine, text, most = 1000) {
    assert.ok(engine.begin(text) > 0);
    let out = text, end;
    for (let i = 0; i < most && end === undefined; ++i) {
        const token = engine.next();
        end = token.end;
        out += token.text ?? "";
    }
    return {out, end};
}

for (const [name, settings, options] of [
    ["greedy", {temperature: 0}, ["--temp", "0"]],
    ["drawn", {temperature: 0.9, seed: 11}, ["--temp", "0.9", "--seed", "11"]],
    ["drawn from few", {temperature: 0.8, topK: 20, seed: 2n ** 63n + 5n},
        ["--temp", "0.8", "--top-k", "20", "--seed", String(2n ** 63n + 5n)]],
    ["drawn by probability", {temperature: 1.1, topP: 0.8, seed: 3},
        ["--temp", "1.1", "--top-p", "0.8", "--seed", "3"]]
]) test(`the command line's story, ${name}`, async () => {
    const engine = await opened();
    engine.settings(settings);
    const text = "One day, a bear named Max";
    assert.equal(`${story(engine, text).out}\n`,
        program("run", "-m", box, "--prompt", text, "-n", "1000", ...options));
});

test("five weights to a byte, in parts, tell the same story", async () => {
    const engine = await Engine.of(compiled);
    const parts = [];
    for (let at = 0; at < model.length; at += 99991) parts.push(model.subarray(at, at + 99991));
    const seen = [];
    await engine.load("a.gguf", model.length, parts, {base3: true, progress: (p) => seen.push(p)});
    assert.equal(seen.at(-1), 1);
    assert.deepEqual(seen, seen.toSorted((a, b) => a - b));
    assert.equal(story(engine, "Once").out, story(await opened(), "Once").out);
});

test("a branch goes on from where it is", async () => {
    const engine = await opened();
    const prompt = engine.begin("Once upon a time");
    const made = Array.from({length: 30}, () => engine.next());
    const kept = made.slice(0, 12).map((t) => t.text).join("");
    engine.branch(prompt + 12, made[12].id);
    assert.equal(engine.next().id, made[13].id);
    engine.branch(prompt + 12, -1);
    assert.equal(engine.next().id, made[12].id);
    // Another way there: the text itself, where it is cut as the model would cut it.
    engine.branch(1, -1);
    assert.equal(typeof engine.next().text, "string");
    assert.ok(kept.startsWith(","));
});

test("candidates are probabilities, likeliest first, and the greedy choice leads them", async () => {
    const engine = await opened();
    engine.begin("Once upon a time");
    for (let i = 0; i < 20; ++i) {
        const token = engine.next();
        const all = engine.candidates(512);
        assert.equal(all.length, 512);
        assert.equal(all[0].id, token.id);
        assert.ok(all.every((c, k) => k === 0 || c.probability <= all[k - 1].probability));
        const sum = all.reduce((s, c) => s + c.probability, 0);
        assert.ok(Math.abs(sum - 1) < 1e-5, String(sum));
    }
    assert.equal(engine.candidates(3).length, 3);
});

test("what does not fit is refused, and the engine goes on", async () => {
    const engine = await opened();
    engine.begin("Once");
    const first = engine.next().id;
    assert.equal(engine.begin("a big dog ".repeat(500)), undefined);
    assert.equal(engine.begin("Once") > 0, true);
    assert.equal(engine.next().id, first);
    let end;
    while (end === undefined) end = engine.next().end;
    assert.ok(["text", "full"].includes(end));
    assert.equal(engine.next().end, end);
});

test("the tokens of other languages and of any character", async () => {
    const engine = await opened();
    for (const text of ["Größe, 日本語 и ещё", "a\u0000b".replace("\u0000", " "), "🦕 🪨", "\ufeffBOM", "  two  "])
        assert.equal(engine.tokenise(text).join(" "),
            program("tokenize", "-m", box, "-p", text).trim().replaceAll(/[\s,]+/g, " "), text);
});

const gpt2 = path.join(process.env.TRILOBIT_DATA ?? "", "vocab/ggml-vocab-gpt-2.gguf");
test("JavaScript's patterns split as PCRE2 does", {skip: !existsSync(gpt2) && `${gpt2} is not here`}, async () => {
    const bytes = readFileSync(gpt2);
    const texts = readFileSync(`${gpt2}.inp`, "utf8").split("\n__ggml_vocab_test__\n")
        .filter((t) => t.trim() !== "" && !t.includes("\0"));
    texts.push("I'LL we'Re DON'T it's", "\u2028 \u3000x\u180e y\u0085z", "ſ'ſ 'ſ", "𐐷𐐷 x²³ ½ ١٢٣٤٥", "a\r\n\r\n  b\t\t c");
    assert.ok(texts.length > 20);
    for (const pre of ["gpt-2", "llama-bpe", "qwen2", "default", "deepseek-llm", "deepseek-v3", "gpt-4o"]) {
        const engine = await Engine.of(compiled);
        await engine.loadWords("gpt-2", bytes.length, [bytes], pre);
        for (const text of texts)
            assert.equal(engine.tokenise(text).join(" "),
                program("tokenize", "-m", gpt2, "--pre", pre, "-p", text).trim()
                    .replaceAll(/[\s,]+/g, " "), `${pre}: ${JSON.stringify(text)}`);
    }
});

const oneLine = (error) => error instanceof EngineError && error.message !== "" &&
    !error.message.includes("\n") && !error.message.startsWith("the engine stopped");

test("files that are cut anywhere are refused in one line", async () => {
    for (let i = 0; i < 40; ++i) {
        const length = Math.floor(model.length * i / 40);
        await assert.rejects(opened(model.subarray(0, length)), oneLine, `${length} bytes`);
    }
});

test("no damage of a file does more than end in one line", async () => {
    let state = 1;
    const random = (n) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n;
    let refused = 0;
    for (let i = 0; i < 60; ++i) {
        const bytes = Buffer.from(model);
        for (let k = 0; k < 4; ++k) bytes[random(16384)] = random(256);
        try {
            const engine = await opened(bytes);
            engine.begin("Once");
            for (let n = 0; n < 3; ++n) engine.next();
        } catch (error) {
            assert.ok(oneLine(error), error.stack);
            ++refused;
        }
    }
    assert.ok(refused > 10, String(refused));
});

test("sizes that no page can hold, and files that change", async () => {
    const engine = await Engine.of(compiled);
    await assert.rejects(engine.load("big.gguf", 5e9, []), /big\.gguf has 5\.0 GB/);
    await assert.rejects(engine.load("a.gguf", 1000, [model.subarray(0, 10)]), /cut short/);
    await assert.rejects(engine.load("a.gguf", 5, [model.subarray(0, 10)]), /grew/);
});
