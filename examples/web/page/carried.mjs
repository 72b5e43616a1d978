// SPDX-License-Identifier: MIT
// Room web. Enters: what scripts/page put into the page. Leaves: its bytes, and the module for this
// browser.
import {simdOfThisPlace} from "../engine.mjs";

export async function unpack(id) {
    const packed = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** {module, threads}: one thread where there is no module for several. */
export async function engineFor(most) {
    const alone = `module-${simdOfThisPlace()}`, together = `${alone}-threads`;
    const threads = document.getElementById(together) ? most : 1;
    return {module: await WebAssembly.compile(await unpack(threads > 1 ? together : alone)), threads};
}
