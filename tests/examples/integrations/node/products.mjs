// SPDX-License-Identifier: MIT
// Version 2 of ggml's back-end interface: the plug-in among node-llama-cpp's own libraries, called
// as tests/examples/integrations/ggml calls those of version 3. Products are exact, in two threads
// and after it was unloaded, and damaged weights fail as they should.
import assert from "node:assert/strict";

import {guest, libraries, plugin, run} from "./host.mjs";

for (const trial of ["twice", "threads", "hostile"])
    for (const activations of ["token", "32"]) {
        const environment = {
            LD_LIBRARY_PATH: libraries,
            LD_PRELOAD: `${libraries}/libggml-base.so:${libraries}/libggml.v0.4.0.so`,
            TRILOBIT_ACTIVATIONS: activations
        };
        // ggml looks for its CPU back ends in the folder that it runs in.
        const {status, stderr} = run(guest, [plugin, trial], environment, libraries);
        assert.equal(status, 0, `${trial}, ${activations}: ${stderr}`);
        assert.match(stderr, /loaded CPU backend from .*node-llama-cpp/);
        assert.match(stderr, /loaded TRILOBIT backend/);
        assert.equal(stderr.includes("is refused: a scale is NaN"), trial === "hostile", stderr);
    }
