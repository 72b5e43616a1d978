// SPDX-License-Identifier: MIT
// Room web. Enters: the modules and the model in the box. Leaves: one HTML file with all of it.
//   node make_page.mjs OUTPUT MODEL NAME=MODULE.wasm...
import {readFileSync, writeFileSync} from "node:fs";
import {gzipSync} from "node:zlib";

const [output, model, ...modules] = process.argv.slice(2);
const here = (name) => readFileSync(new URL(name, import.meta.url), "utf8");

// Comments on lines of their own and indentation are for those who read the source.
const smaller = (text) => text.replaceAll(/^ *(\/\/|\/\*\*| \* | \*\/).*\n/gm, "").replaceAll(/^ +/gm, "");
const script = (...names) => names.map(here).join("\n")
    .replaceAll(/^import .*\n/gm, "").replaceAll(/^export /gm, "");
const inside = (text) => smaller(text).replaceAll("</script", "<\\/script");
const data = (id, bytes) => `<script type="text/plain" id="${id}">` +
    `${gzipSync(bytes, {level: 9}).toString("base64")}</script>`;

const parts = [
    `<script type="text/plain" id="worker">${inside(script("patterns.mjs", "engine.mjs", "page/worker.mjs"))}</script>`,
    ...modules.map((m) => m.split("=")).map(([name, path]) => data(`module-${name}`, readFileSync(path))),
    data("box-model", readFileSync(model))
];
const page = here("page/page.html")
    .replace("/*css*/", () => smaller(here("page/page.css")))
    .replace("<!--data-->", () => parts.join("\n"))
    .replace("/*page*/", () => inside(script("patterns.mjs", "engine.mjs", "page/words.mjs", "page/carried.mjs",
        "page/candidates.mjs", "page/drop.mjs", "page/page.mjs")));
writeFileSync(output, page);
