// SPDX-License-Identifier: MIT
// A static server of one folder, on this machine alone, with the two headers by which a browser
// lets workers share memory.
//   node serve.mjs FOLDER [PORT]
import {createReadStream, statSync} from "node:fs";
import {createServer} from "node:http";
import path from "node:path";

const types = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript",
    ".wasm": "application/wasm"};

/** Answers with {url, close}; `isolated` is the two headers. */
export function serve(folder, {port = 0, isolated = true} = {}) {
    const root = path.resolve(folder);
    const server = createServer((request, response) => {
        const file = path.join(root, decodeURIComponent(new URL(request.url, "http://x").pathname));
        let info;
        try {
            info = file.startsWith(root + path.sep) ? statSync(file) : undefined;
        } catch {
            info = undefined;
        }
        if (!info?.isFile()) {
            response.writeHead(404).end("there is no such file\n");
            return;
        }
        response.writeHead(200, {
            "content-type": types[path.extname(file)] ?? "application/octet-stream",
            "content-length": info.size,
            ...(isolated ? {"cross-origin-opener-policy": "same-origin",
                "cross-origin-embedder-policy": "require-corp"} : {})
        });
        createReadStream(file).pipe(response);
    });
    return new Promise((done, failed) => {
        server.on("error", failed);
        server.listen(port, "127.0.0.1", () => done({
            url: `http://127.0.0.1:${server.address().port}`,
            close: () => server.closeAllConnections() ?? server.close()
        }));
    });
}

if (process.argv[1]?.endsWith("serve.mjs")) {
    const {url} = await serve(process.argv[2] ?? ".", {port: Number(process.argv[3] ?? 8000)});
    console.log(`serving ${process.argv[2] ?? "."} at ${url}`);
}
