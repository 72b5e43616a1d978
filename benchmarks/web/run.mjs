// SPDX-License-Identifier: MIT
// Times what scripts/bench-web has built: products in Node.js and in Chromium, then whole models
// against wllama, and prints one table for each.
//   node run.mjs --chromium FILE --model FILE --rounds N --tokens N --only node,browser,rival ARCH...
import {spawnSync} from "node:child_process";
import {cpus} from "node:os";
import path from "node:path";
import {fileURLToPath} from "node:url";
import {parseArgs} from "node:util";

import {serve} from "../../examples/web/serve.mjs";
import {table} from "./products.mjs";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const {values, positionals: archs} = parseArgs({
    allowPositionals: true,
    options: {
        chromium: {type: "string"},
        model: {type: "string"},
        rounds: {type: "string", default: "5"},
        tokens: {type: "string", default: "16"},
        only: {type: "string", default: "node,browser,rival"}
    }
});
const say = (text) => console.error(`bench-web: ${text}`);
const wanted = values.only.split(",");
const module = (arch, name) => `build/web/${arch}/${name}.wasm`;

function inNode() {
    const done = spawnSync(process.execPath, ["--experimental-wasm-relaxed-simd",
        "benchmarks/web/products.mjs", ...archs.map((a) => module(a, "web_products"))],
    {cwd: root, encoding: "utf8", env: {...process.env, TRILOBIT_JSON: "1"}});
    if (done.status !== 0) throw new Error(`Node.js: ${done.stderr.slice(-2000)}`);
    console.log(`\nProducts in Node.js ${process.versions.node} (V8 ${process.versions.v8}), one thread\n`);
    console.log(table(JSON.parse(done.stdout)));
}

async function inBrowser() {
    const {chromium} = await import(path.join(root, "build/web-tools/node_modules/playwright-core/index.mjs"));
    const browser = await chromium.launch({executablePath: values.chromium,
        args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]});
    const server = await serve(root);
    try {
        const page = await browser.newPage();
        await page.exposeFunction("say", say);
        await page.goto(`${server.url}/benchmarks/web/blank.html`);
        if (wanted.includes("browser")) {
            const list = await page.evaluate(async (paths) => {
                const {measure} = await import("/benchmarks/web/products.mjs");
                const bytes = await Promise.all(paths.map(async (p) => (await fetch(`/${p}`)).arrayBuffer()));
                return measure(bytes, (text) => window.say(`products, ${text}`));
            }, archs.map((a) => module(a, "web_products")));
            console.log(`\nProducts in Chromium ${browser.version()}, one thread\n`);
            console.log(table(list));
        }
        if (wanted.includes("rival")) {
            const list = await page.evaluate(async (how) => {
                const {compare} = await import("/benchmarks/web/rival.mjs");
                return compare(how, window.say);
            }, {model: values.model, modules: archs.map((a) => module(a, "trilobit_web")),
                count: Number(values.tokens), rounds: Number(values.rounds)});
            const rival = list.at(-1);
            console.log(`\n${values.model} in Chromium ${browser.version()}, one thread, decoding, ` +
                `medians of ${values.rounds} rounds in turns\n`);
            console.log("| engine | tokens/s | times wllama's, median of the rounds |\n|---|---|---|");
            for (const one of list) {
                const ratios = one.runs.map((r, i) => r / rival.runs[i]).toSorted((a, b) => a - b);
                console.log(`| ${one.name} | ${one.tokens.toFixed(2)} | ${ratios[ratios.length >> 1].toFixed(2)} |`);
            }
        }
    } finally {
        await browser.close();
        server.close();
    }
}

console.log(`${cpus()[0].model}, ${cpus().length} processors`);
if (wanted.includes("node")) inNode();
if (wanted.includes("browser") || wanted.includes("rival")) await inBrowser();
