// SPDX-License-Identifier: MIT
// Room web. Enters: a person. Leaves: the page's behaviour; models and their arithmetic are the
// worker's. scripts/page puts this file, the worker, the modules and the model in the box into one
// HTML file.
import {simdOfThisPlace} from "../engine.mjs";
import {candidateRows} from "./candidates.mjs";
import {engineFor, unpack} from "./carried.mjs";
import {takeDroppedFiles} from "./drop.mjs";
import {count, number, rate, size} from "./words.mjs";

const $ = (id) => document.getElementById(id);
const box = {name: "stories-ternary.gguf"};
const bigModels = 1e9;  // bytes of files: of two such, one leaves before the next comes

// What the page knows

let engine;            // {module, threads}
let workerSource;
let model;             // {worker, facts, bytes, inTheBox}
let state = "loading"; // ready, writing, stopped, ended, loading
let story = [];        // {text, candidates, node, other}; the prompt's tokens come before
let promptTokens = 0;
let chosen = -1;       // index into story
let follow = true;     // the bars show the latest token

// Words

function complain(line) {
    $("notice").textContent = line;
    $("notice").hidden = line === "";
}

// State

function become(next, words = "") {
    state = next;
    document.body.dataset.state = state;
    const writing = state === "writing";
    $("tell").disabled = state === "loading";
    $("tell").textContent = writing ? "Stop" : "Tell a story";
    $("goOn").disabled = state !== "stopped";
    $("story").classList.toggle("writing", writing);
    $("after").textContent = words;
    for (const b of $("candidates").querySelectorAll("button")) b.disabled = !canBranch();
}
const canBranch = () => state === "stopped" || state === "ended";

function showProgress(part, words) {
    $("bar").classList.toggle("on", part !== undefined);
    if (part === undefined) return;
    const percent = Math.round(part * 100);
    $("bar").firstElementChild.style.width = `${percent}%`;
    $("bar").setAttribute("aria-valuenow", percent);
    $("after").textContent = `${words}, ${percent} %`;
}

function showSpeed(made, computing) {
    const used = promptTokens + story.length;
    const positions = model.facts.positions;
    $("speed").replaceChildren();
    if (made > 1 && computing > 0) {
        const figure = document.createElement("b");
        figure.textContent = rate(made / computing);
        $("speed").append(figure, " tokens/s · ");
    }
    $("speed").append(`${number.format(used)} of ${number.format(positions)} positions`);
}

function showModel() {
    const f = model.facts;
    const name = document.createElement("b");
    name.textContent = f.name || model.name;
    $("model").replaceChildren(name, document.createElement("br"),
        `${count(f.weights)} weights in ${f.layers} layers, ${number.format(f.vocabulary)} tokens, ${size(model.bytes)}`);
    $("box").hidden = model.inTheBox;
    const simd = {relaxed_simd: "relaxed SIMD", simd128: "128-bit SIMD"}[f.backend] ?? "no SIMD";
    $("machine").textContent = `WebAssembly with ${simd}, ${f.threads === 1 ? "one thread" : `${f.threads} threads`}. ` +
        "It writes what the command line writes, token for token. trilobit, MIT licence.";
}

// Models

function workerFor(onMessage) {
    const worker = new Worker(workerSource);
    worker.onmessage = ({data}) => onMessage(data);
    worker.onerror = (event) => {
        event.preventDefault?.();
        onMessage({is: "failed", line: `the worker did not start: ${event.message ?? "no reason given"}`});
    };
    return worker;
}

let coming;  // the worker of a model that is being loaded

function use(source) {
    if (coming) coming.terminate();
    if (state === "writing") stop();
    const inTheBox = !(source instanceof Blob);
    const bytes = inTheBox ? source.bytes.length : source.size;
    const name = inTheBox ? box.name : source.name;
    // Two models are in memory until the second is known to be sound, unless that is too much.
    if (model && model.bytes + bytes > bigModels) {
        model.worker.terminate();
        model = undefined;
    }
    become("loading");
    const worker = coming = workerFor((message) => {
        if (worker !== coming && worker !== model?.worker) return;
        if (message.is === "progress") {
            showProgress(message.part, message.what === "reading" ? `Reading ${name}` : "Packing its weights");
        } else if (message.is === "loaded") {
            coming = undefined;
            if (model) model.worker.terminate();
            model = {worker, facts: message.facts, bytes, name, inTheBox};
            showProgress();
            showModel();
            forget();
            become("ready", inTheBox ? "" : `Read in ${message.seconds.toFixed(1)} s.`);
            showSpeed(0, 0);
        } else if (message.is === "failed") {
            worker.terminate();
            if (message.noThreads) return engineFor(1).then((e) => { engine = e; use(source); });
            failed(worker === coming, message.line);
        } else {
            heard[message.is](message);
        }
    });
    coming.inTheBox = inTheBox;
    worker.postMessage({ask: "load", ...engine, name,
        ...(inTheBox ? {bytes: source.bytes} : {file: source})});
}

function failed(whileLoading, line) {
    complain(line);
    showProgress();
    const boxFailed = whileLoading && coming.inTheBox;
    if (whileLoading) coming = undefined;
    else model = undefined;
    if (model) become(story.length > 0 ? "stopped" : "ready");
    else if (boxFailed) become("loading");
    else use({bytes: box.bytes});
}

// Stories

function forget() {
    story = [];
    promptTokens = 0;
    chosen = -1;
    follow = true;
    $("story").replaceChildren();
    $("candidates").replaceChildren();
}

const pace = () => Number(document.querySelector("[name=pace]:checked").value);
const order = () => ({most: 1e9, perSecond: pace()});

function tell() {
    complain("");
    if (!$("seed").checkValidity()) return complain("a seed is a whole number");
    if (!$("keep").checked && tell.told) rollSeed();
    tell.told = true;
    forget();
    const text = $("prompt").value;
    const given = document.createElement("span");
    given.className = "given";
    given.textContent = text;
    $("story").append(given);
    become("writing");
    model.worker.postMessage({ask: "tell", text, ...order(), settings: {
        temperature: Number($("temperature").value), topK: Number($("topK").value),
        seed: BigInt.asUintN(64, BigInt($("seed").value || 0))}});
}

function stop() {
    model.worker.postMessage({ask: "stop"});
}

function goOn() {
    complain("");
    follow = true;
    become("writing");
    model.worker.postMessage({ask: "goOn", ...order()});
}

let branched;  // what came to mind where the latest branch began

/** Another token in the place of number `i`, and on from there. */
function branch(i, id) {
    complain("");
    branched = story[i].candidates;
    for (const later of story.splice(i)) later.node.remove();
    follow = true;
    become("writing");
    model.worker.postMessage({ask: "branch", count: promptTokens + i, id, ...order()});
}

function append(token, other = false) {
    const node = document.createElement("span");
    node.dataset.i = story.length;
    node.textContent = token.text;
    if (other) node.className = "other";
    story.push({...token, node});
    $("story").append(node);
}

const heard = {
    begun: ({tokens}) => {
        promptTokens = Math.max(tokens ?? 0, 0);
        if (tokens === undefined)
            complain(`the beginning is too long: the model reads ${number.format(model.facts.positions)} tokens`);
        else if (tokens === 0) complain("this model needs a beginning");
    },
    tokens: ({tokens, made, computing}) => {
        for (const token of tokens) append(token);
        if (follow) choose(story.length - 1, true);
        showSpeed(made, computing);
        keepInSight();
    },
    branched: ({text, id}) => {
        append({id, text, candidates: branched}, true);
        choose(story.length - 1, true);
    },
    ended: ({end, made, computing}) => {
        if (made > 0) showSpeed(made, computing);
        if (end === "refused") return become("ready");
        become(end === "stopped" || end === "asked" ? "stopped" : "ended", {
            text: "The end.",
            full: `Its memory of ${number.format(model.facts.positions)} positions is full.`
        }[end] ?? "");
    }
};

/** Scrolls along as long as the reader is at the end. */
function keepInSight() {
    const end = $("after").getBoundingClientRect().bottom;
    if (follow && end > innerHeight && end < innerHeight + 160) scrollBy(0, end - innerHeight + 16);
}

// What came to mind

function choose(i, following = false) {
    if (story[chosen]) story[chosen].node.classList.remove("chosen");
    chosen = i;
    follow = following;
    const token = story[i];
    if (!token) return $("candidates").replaceChildren();
    if (!following) token.node.classList.add("chosen");
    $("candidates").replaceChildren(...candidateRows(token.candidates, token.id,
        {mayTake: canBranch(), take: (id) => branch(i, id)}));
}

// A person's hands

function rollSeed() {
    $("seed").value = crypto.getRandomValues(new Uint32Array(1))[0] % 1000000;
}

function showSettings() {
    const t = Number($("temperature").value), k = Number($("topK").value);
    $("temperatureShown").value = t === 0 ? "0, the likeliest" : t.toFixed(2);
    $("topKShown").value = k === 0 ? "all" : k;
}

$("ask").onsubmit = (event) => {
    event.preventDefault();
    if (state === "writing") stop();
    else if (state !== "loading") tell();
};
$("prompt").onkeydown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (state !== "writing" && state !== "loading") tell();
};
$("goOn").onclick = goOn;
$("temperature").oninput = $("topK").oninput = showSettings;
$("story").onclick = ({target}) => {
    if (target.dataset.i !== undefined) choose(Number(target.dataset.i));
};
$("story").onkeydown = (event) => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (step === undefined || story.length === 0) return;
    event.preventDefault();
    choose(Math.min(Math.max(chosen + step, 0), story.length - 1));
    story[chosen].node.scrollIntoView({block: "nearest"});
};
addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state === "writing") stop();
});
$("open").onclick = () => $("file").click();
$("file").onchange = () => {
    if ($("file").files.length > 0) open($("file").files[0]);
    $("file").value = "";
};
$("box").onclick = () => use({bytes: box.bytes});
function open(file) {
    complain("");
    use(file);
}
takeDroppedFiles($("drop"), (file) => { if (engine) open(file); });

// Begin

async function start() {
    rollSeed();
    showSettings();
    if (simdOfThisPlace() === "" || typeof DecompressionStream === "undefined") {
        become("loading");
        return complain("This browser's WebAssembly has no SIMD, which the engine is made of. Chrome 91, Firefox 113 and Safari 16.4 have it, and all that are newer.");
    }
    // Workers share memory only where the server says that nobody else can look on.
    engine = await engineFor(globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 8) : 1);
    workerSource = URL.createObjectURL(new Blob([$("worker").textContent], {type: "text/javascript"}));
    box.bytes = await unpack("box-model");
    use({bytes: box.bytes});
}
start().catch((error) => complain(`the page does not start: ${error.message}`));
