// SPDX-License-Identifier: MIT
// Runs a WebAssembly program under node's WASI, with the files of this folder.
//   node wasi.mjs PROGRAM ARGUMENT...
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const wasi = new WASI({
    version: 'preview1',
    args: process.argv.slice(2),
    preopens: { '.': '.' },
    returnOnExit: true,
});
const module = await WebAssembly.compile(readFileSync(process.argv[2]));
process.exit(wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject())));
