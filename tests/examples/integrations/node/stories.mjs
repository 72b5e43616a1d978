// SPDX-License-Identifier: MIT
// The model in the box in node-llama-cpp, as its user runs it: with the plug-in the same 60 tokens
// as without it, by our products; and what goes wrong.
import assert from "node:assert/strict";

import {model, node, told, with_plugin} from "./host.mjs";

const alone = told(["--threads", "1", model]);
assert.equal(alone.status, 0, alone.stderr);
assert.doesNotMatch(alone.stderr, /TRILOBIT/);
assert.match(alone.stdout, /^Once upon a time.{60}/s);

const ours = told(["--threads", "1", model], with_plugin);
assert.equal(ours.status, 0, ours.stderr);
const held = ours.stderr.match(/^weights in TRILOBIT: ([0-9.]+) MiB$/m);
assert.ok(Number(held?.[1]) > 0.5, ours.stderr);
assert.doesNotMatch(ours.stderr, /trilobit:/);
assert.equal(ours.stdout, alone.stdout);

// Threads of two pools share the processors here, so fewer tokens.
const threads = told(["--threads", "2", "--tokens", "20", model], with_plugin);
assert.equal(threads.status, 0, threads.stderr);
assert.ok(ours.stdout.startsWith(threads.stdout.trimEnd()), threads.stdout);

const more = told(["--threads", "1", model], {...with_plugin, TRILOBIT_THREADS: "2"});
assert.equal(more.status, 0, more.stderr);
assert.equal(more.stdout, ours.stdout);

// Declined: the host goes on without us.
const declined = told(["--threads", "1", model], {...with_plugin, TRILOBIT_ACTIVATIONS: "64"});
assert.equal(declined.status, 0, declined.stderr);
assert.match(declined.stderr, /^trilobit: TRILOBIT_ACTIVATIONS is "token" or "32", not 64$/m);
assert.doesNotMatch(declined.stderr, /weights in TRILOBIT/);
assert.equal(declined.stdout, alone.stdout);

// That it is we who multiply: our refusal of one weight stops the host, which reports it.
const hurt = node("tests/examples/integrations/node/hurt.mjs", [model, "hurt.gguf"]);
assert.equal(hurt.status, 0, hurt.stderr);
const refused = told(["--threads", "1", "hurt.gguf"], with_plugin);
assert.equal(refused.status, 1, refused.stderr);
assert.match(refused.stderr, /^trilobit: blk\.0\..* is refused: a scale is NaN or infinite$/m);
assert.match(refused.stderr, /^story: /m);

for (const args of [[], ["none.gguf"], ["--tokens", "0", model], ["hurt.mjs"]]) {
    const wrong = told(args, with_plugin);
    assert.equal(wrong.status, 1, wrong.stderr);
    assert.match(wrong.stderr, /^story: /m);
}
