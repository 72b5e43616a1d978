// SPDX-License-Identifier: MIT
// Tests with node-llama-cpp. Enters: what ctest says in the environment. Leaves: paths, and
// programs run with the plug-in or without it.
import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import {fileURLToPath} from "node:url";

export const root = fileURLToPath(new URL("../../../..", import.meta.url));
export const plugin = process.env.TRILOBIT_PLUGIN;
export const guest = process.env.TRILOBIT_GUEST;
export const model = path.join(root, "examples/models/stories-ternary.gguf");
const installed = path.join(root, "build/node-llama-cpp");
export const libraries =
    path.join(installed, "node_modules/@node-llama-cpp/linux-x64/bins/linux-x64");

for (const file of [plugin, guest, model, libraries])
    assert.ok(file !== undefined && fs.existsSync(file), `${file} is not there`);

/// A folder from which scripts import the node-llama-cpp that was fetched; removed at the end.
export const scratch = fs.mkdtempSync(path.join(installed, "test-"));
process.on("exit", () => fs.rmSync(scratch, {recursive: true}));

export function run(program, args, environment = {}, folder = scratch) {
    const env = {...process.env, GGML_BACKEND_PATH: undefined, ...environment};
    const {status, signal, stdout, stderr} =
        spawnSync(program, args, {env, cwd: folder, encoding: "utf8", timeout: 250e3});
    return {status: signal ?? status, stdout, stderr};
}

/// A script, copied to where its import finds node-llama-cpp.
export function node(script, args, environment) {
    const copy = path.join(scratch, path.basename(script));
    fs.copyFileSync(path.join(root, script), copy);
    return run(process.execPath, [copy, ...args], environment);
}

export function told(args, environment) {
    return node("examples/integrations/node/story.mjs", args, environment);
}

export const with_plugin = {GGML_BACKEND_PATH: plugin};
