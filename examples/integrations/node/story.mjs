// SPDX-License-Identifier: MIT
// Room integrations. Enters: a model and the beginning of a text. Leaves: the text and how the
// model goes on, on standard output, and on standard error which back end holds how much of it.
//   export GGML_BACKEND_PATH=.../libggml-trilobit.so TRILOBIT_THREADS=$(nproc)
//   node story.mjs [--tokens N] [--threads N] MODEL.gguf [TEXT]
// It imports the node-llama-cpp of the folder that it lies in, so copy it to where yours is.
import {parseArgs} from "node:util";

import {getLlama, LlamaCompletion, LlamaLogLevel} from "node-llama-cpp";

const usage = "usage: node story.mjs [--tokens N] [--threads N] MODEL.gguf [TEXT]";

function read(args) {
    const {values, positionals} = parseArgs({
        args,
        allowPositionals: true,
        options: {
            tokens: {type: "string", default: "60"},
            threads: {type: "string", default: "1"}
        }
    });
    const [modelPath, text = "Once upon a time", ...more] = positionals;
    const [tokens, threads] = [values.tokens, values.threads].map(Number);
    if (modelPath === undefined || more.length > 0) throw new Error(usage);
    if (![tokens, threads].every((n) => Number.isInteger(n) && n > 0 && n < 1e6))
        throw new Error("--tokens and --threads are whole numbers from 1 on");
    return {modelPath, text, tokens, threads};
}

async function tell({modelPath, text, tokens, threads}) {
    const logger = (level, message) => {
        for (const line of message.matchAll(/(\S+) model buffer size = +(.*)/g))
            console.error(`weights in ${line[1]}: ${line[2]}`);
        if (level === LlamaLogLevel.error) console.error(message);
    };
    // Without these it may take libraries that were made for a GPU, or start to compile its own.
    const prebuilt = {gpu: false, build: "never"};
    const llama = await getLlama({...prebuilt, logLevel: LlamaLogLevel.info, logger});
    try {
        const model = await llama.loadModel({modelPath});
        // It starts its threads anew each time that it takes over from the plug-in, some hundred
        // times a token: one is the fastest. The plug-in has its own.
        const context = await model.createContext({contextSize: {max: 2048}, threads});
        const completion = new LlamaCompletion({contextSequence: context.getSequence()});
        process.stdout.write(text);
        await completion.generateCompletion(text, {
            maxTokens: tokens,
            temperature: 0,
            repeatPenalty: false,
            onTextChunk: (chunk) => process.stdout.write(chunk)
        });
        process.stdout.write("\n");
    } finally {
        await llama.dispose();
    }
}

try {
    await tell(read(process.argv.slice(2)));
} catch (error) {
    console.error(`story: ${error.message}`);
    process.exitCode = 1;
}
