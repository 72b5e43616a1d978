// SPDX-License-Identifier: MIT
// Room web. Enters: what the page asks for. Leaves: tokens, as they come, and how long they took.
// One worker holds one model: the page starts another for the next, so that nothing can be left
// over. scripts/page joins this file to engine.mjs.
import {Engine, EngineError, helper} from "../engine.mjs";

let engine;
let writing = false;

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// Gives messages a chance; a timer would round up to milliseconds.
const turns = new MessageChannel();
const turn = () => new Promise((done) => {
    turns.port1.onmessage = done;
    turns.port2.postMessage(0);
});

async function* partsOf(file) {
    const reader = file.stream().getReader();
    for (let part; !(part = await reader.read()).done;) yield part.value;
}

class NoThreads extends EngineError {}

/** Another worker of this same source, which serves the engine of this one. */
const startHelper = (what) => new Promise((done, failed) => {
    const worker = new Worker(location.href);
    worker.onmessage = done;
    worker.onerror = () => failed(new NoThreads("this browser started no thread"));
    worker.postMessage({ask: "help", what});
});

async function load({module, threads, name, file, bytes}) {
    engine = await Engine.of(module, {threads, startHelper});
    const begun = performance.now();
    let shown = 0;
    const progress = (what) => (part) => {
        if (part < 1 && performance.now() - shown < 50) return;
        shown = performance.now();
        postMessage({is: "progress", what, part});
    };
    engine.onPacked = progress("packing");
    await engine.load(name, file ? file.size : bytes.length, file ? partsOf(file) : [bytes],
        {progress: progress("reading")});
    postMessage({is: "loaded", facts: engine.facts(), seconds: (performance.now() - begun) / 1000});
}

function begin({text, settings}) {
    engine.settings(settings);
    const begun = performance.now();
    const tokens = engine.begin(text);
    postMessage({is: "begun", tokens, seconds: (performance.now() - begun) / 1000});
    return tokens > 0;
}

/** Writes until the text ends, no more fits, `most` are made or a stop comes. */
async function write({most, perSecond}) {
    writing = true;
    let made = 0, computing = 0, end = "asked";
    let some = [], sent = performance.now();
    const send = () => {
        if (some.length > 0) postMessage({is: "tokens", tokens: some, made, computing});
        some = [];
        sent = performance.now();
    };
    let due = performance.now();
    while (made < most) {
        if (!writing) {
            end = "stopped";
            break;
        }
        const begun = performance.now();
        const token = engine.next();
        computing += (performance.now() - begun) / 1000;
        if (token.end !== undefined) {
            end = token.end;
            break;
        }
        ++made;
        some.push({...token, candidates: engine.candidates(8)});
        if (perSecond > 0) {
            send();
            due = Math.max(due + 1000 / perSecond, performance.now() - 50);
            await wait(Math.max(due - performance.now(), 0));
        } else if (performance.now() - sent > 12) {
            send();
            await turn();
        }
    }
    send();
    writing = false;
    postMessage({is: "ended", end, made, computing});
}

const asked = {
    load,
    tell: async (order) => {
        if (begin(order)) await write(order);
        else postMessage({is: "ended", end: "refused", made: 0, computing: 0});
    },
    goOn: write,
    branch: async (order) => {
        const text = engine.branch(order.count, order.id);
        postMessage({is: "branched", text, id: order.id});
        await write(order);
    },
    stop: () => { writing = false; },
    help: ({what}) => helper(what, () => postMessage({is: "serving"}))
};

onmessage = async ({data}) => {
    try {
        await asked[data.ask](data);
    } catch (error) {
        writing = false;
        const known = error instanceof EngineError;
        postMessage({is: "failed", noThreads: error instanceof NoThreads, line: known ? error.message : `the worker stopped: ${error.message}`});
    }
};
