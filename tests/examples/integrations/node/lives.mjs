// SPDX-License-Identifier: MIT
// Two models at once, each in a context of its own, then again in the same process after all of it
// was disposed of: always the same text. Run by models.mjs.   lives.mjs MODEL
import assert from "node:assert/strict";

import {getLlama, LlamaCompletion, LlamaLogLevel} from "node-llama-cpp";

const texts = [];
for (let life = 0; life < 2; ++life) {
    const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error});
    const tell = async () => {
        const model = await llama.loadModel({modelPath: process.argv[2]});
        const context = await model.createContext({contextSize: 128, threads: 1});
        const completion = new LlamaCompletion({contextSequence: context.getSequence()});
        const options = {maxTokens: 60, temperature: 0, repeatPenalty: false};
        texts.push(await completion.generateCompletion("Once upon a time", options));
        await model.dispose();
    };
    await Promise.all([tell(), tell()]);
    await tell();
    await llama.dispose();
}
assert.equal(texts.length, 6);
assert.equal(new Set(texts).size, 1, texts.join("\n"));
console.log("Once upon a time" + texts[0]);
