// SPDX-License-Identifier: MIT
// Models that come and go in one process, with the plug-in, say what one alone says.
import assert from "node:assert/strict";

import {model, node, told, with_plugin} from "./host.mjs";

const one = told(["--threads", "1", model], with_plugin);
assert.equal(one.status, 0, one.stderr);
const many = node("tests/examples/integrations/node/lives.mjs", [model], with_plugin);
assert.equal(many.status, 0, many.stderr);
assert.equal(many.stdout, one.stdout);
assert.doesNotMatch(many.stderr, /trilobit:/);
