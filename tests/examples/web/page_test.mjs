// SPDX-License-Identifier: MIT
// The page in Chromium, as a person meets it: opened from disk and from a server, with files that
// are sound and files that are not.
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync, copyFileSync} from "node:fs";
import {cpus, tmpdir} from "node:os";
import path from "node:path";
import {after, before, test} from "node:test";
import {fileURLToPath, pathToFileURL} from "node:url";

import {serve} from "../../../examples/web/serve.mjs";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const {chromium} = await import(path.join(root, "build/web-tools/node_modules/playwright-core/index.mjs"));
const box = path.join(root, "examples/models/stories-ternary.gguf");
const onDisk = pathToFileURL(path.join(root, "build/page.html")).href;
const tiny = path.join(process.env.TRILOBIT_DATA ?? "", "golden/tiny-bitnet-TQ2_0.gguf");

const story = (...options) => execFileSync(process.env.TRILOBIT_PROGRAM,
    ["run", "-m", box, "--prompt", "Once upon a time", "-n", "1000", ...options],
    {encoding: "utf8", stdio: ["ignore", "pipe", "ignore"]}).replace(/\n$/, "");
const greedy = story("--temp", "0");

let browser, folder;
before(async () => {
    browser = await chromium.launch({executablePath: process.env.TRILOBIT_CHROMIUM,
        args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]});
    folder = mkdtempSync(path.join(tmpdir(), "trilobit-page-"));
});
after(async () => {
    await browser?.close();
    rmSync(folder, {recursive: true, force: true});
});

/** A page that is ready; it may ask nobody for anything. */
async function opened(t, url = onDisk, {prepare = () => {}, ...context} = {}) {
    const place = await browser.newContext(context);
    t.after(() => place.close());
    const page = await place.newPage();
    page.trouble = [];
    page.on("pageerror", (e) => page.trouble.push(e.message));
    page.on("request", (r) => {
        if (!/^(blob|data):/.test(r.url()) && r.url() !== url) page.trouble.push(`asked for ${r.url()}`);
    });
    await prepare(page);
    await page.goto(url);
    page.until = (state, timeout = 60000) =>
        page.waitForFunction((s) => document.body.dataset.state === s, state, {timeout, polling: 20});
    page.text = () => page.locator("#story").textContent();
    page.set = (id, value) => page.$eval(`#${id}`, (e, v) => {
        e.value = v;
        e.dispatchEvent(new Event("input"));
    }, String(value));
    page.fast = () => page.getByText("full speed").click();
    page.tell = async (temperature, seed = 1) => {
        await page.set("temperature", temperature);
        await page.set("topK", 0);
        await page.set("seed", seed);
        await page.locator("#keep").check();
        await page.fast();
        await page.locator("#tell").click();
        await page.until("ended");
        return page.text();
    };
    page.notice = () => page.$eval("#notice", (e) => e.hidden ? "" : e.textContent);
    return page;
}

test("from disk: the command line's stories, greedy and drawn", async (t) => {
    const page = await opened(t);
    await page.until("ready");
    assert.equal(await page.tell(0), greedy);
    assert.match(await page.locator("#speed").textContent(), /^[\d,.]+ tokens\/s · \d+ of 256 positions$/);
    assert.equal(await page.tell(0.85, 42), story("--temp", "0.85", "--seed", "42"));
    assert.equal(await page.notice(), "");
    assert.deepEqual(page.trouble, []);
});

for (const isolated of [false, true])
    test(`from a server${isolated ? " that isolates it" : ""}: the same story`, async (t) => {
        const server = await serve(path.join(root, "build"), {isolated});
        t.after(() => server.close());
        const page = await opened(t, `${server.url}/page.html`);
        await page.until("ready");
        assert.equal(await page.evaluate(() => crossOriginIsolated), isolated);
        assert.match(await page.locator("#machine").textContent(),
            isolated && cpus().length > 1 ? /\d threads/ : /one thread/);
        assert.equal(await page.tell(0), greedy);
        assert.deepEqual(page.trouble, []);
    });

test("where no thread can be started, one tells the story", async (t) => {
    const server = await serve(path.join(root, "build"), {isolated: true});
    t.after(() => server.close());
    const page = await opened(t, `${server.url}/page.html`, {prepare: (p) => p.route("**/page.html", async (route) => {
        const response = await route.fetch(), body = await response.text();
        const broken = body.replace("new Worker(location.href)", 'new Worker("data:text/javascript,throw 0")');
        assert.notEqual(broken, body);
        await route.fulfill({response, body: broken});
    })});
    await page.until("ready");
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    assert.match(await page.locator("#machine").textContent(), /one thread/);
    assert.equal(await page.tell(0), greedy);
    // What the helper throws is reported as the page's if it throws after Chromium looks at it.
    assert.deepEqual(page.trouble.filter((text) => text !== "0"), []);
});

test("stop and continue: nothing is lost", async (t) => {
    const page = await opened(t);
    await page.until("ready");
    await page.set("temperature", 0);
    await page.locator("#tell").click();
    await page.waitForFunction(() => document.querySelectorAll("#story [data-i]").length >= 6);
    await page.keyboard.press("Escape");
    await page.until("stopped");
    const some = await page.text();
    assert.ok(greedy.startsWith(some) && some.length < greedy.length, some);
    await page.waitForTimeout(150);
    assert.equal(await page.text(), some, "it goes on by itself");
    await page.locator("#goOn").click();
    await page.waitForFunction((n) => document.querySelectorAll("#story [data-i]").length >= n, 12);
    await page.locator("#tell").click();
    await page.until("stopped");
    await page.fast();
    await page.locator("#goOn").click();
    await page.until("ended");
    assert.equal(await page.text(), greedy);
    assert.deepEqual(page.trouble, []);
});

test("by keyboard: another word, and the story goes on from there", async (t) => {
    const page = await opened(t);
    await page.until("ready");
    await page.tell(0);
    await page.locator("#story").focus();
    for (let i = 0; i < 4; ++i) await page.keyboard.press("ArrowRight");
    const shares = await page.locator("#candidates .share").allTextContents();
    assert.equal(shares.length, 8);
    assert.equal(await page.locator("#candidates .taken").count(), 1);
    const at = Number(await page.locator("#story .chosen").getAttribute("data-i"));
    const kept = await page.evaluate((i) => document.querySelector("#story .given").textContent +
        [...document.querySelectorAll("#story [data-i]")].slice(0, i).map((n) => n.textContent).join(""), at);
    await page.locator("#candidates button").nth(1).focus();
    await page.keyboard.press("Enter");
    await page.until("ended");
    const now = await page.text();
    assert.ok(now.startsWith(kept) && now !== greedy, now);
    assert.equal(await page.locator("#story .other").count(), 1);
    assert.deepEqual(page.trouble, []);
});

test("files that are no models: one line each, and the story can go on", async (t) => {
    const page = await opened(t);
    await page.until("ready");
    assert.equal(await page.tell(0), greedy);
    const bad = (name, make) => {
        const file = path.join(folder, name);
        make(file);
        return file;
    };
    for (const file of [
        bad("cut.gguf", (f) => { copyFileSync(box, f); truncateSync(f, 500000); }),
        bad("empty.gguf", (f) => writeFileSync(f, "")),
        bad("text.gguf", (f) => writeFileSync(f, "This is no model.\n".repeat(1000))),
        bad("hurt.gguf", (f) => {
            const bytes = readFileSync(box);
            bytes.fill(0xff, 24, 2000);
            writeFileSync(f, bytes);
        })
    ]) {
        await page.setInputFiles("#file", file);
        await page.waitForFunction((name) => document.querySelector("#notice").textContent.includes(name),
            path.basename(file));
        const line = await page.notice();
        assert.ok(!line.includes("\n") && line.length < 300, line);
        await page.waitForFunction(() => document.body.dataset.state !== "loading");
        assert.equal(await page.text(), greedy, "the story that was there is gone");
    }
    assert.equal(await page.tell(0), greedy);
    assert.equal(await page.notice(), "");
    assert.deepEqual(page.trouble, []);
});

test("a model from disk, and back to the one in the box", {skip: !existsSync(tiny) && `${tiny} is not here`},
    async (t) => {
        const page = await opened(t);
        await page.until("ready");
        await page.setInputFiles("#file", tiny);
        await page.waitForFunction(() => !document.querySelector("#box").hidden);
        await page.until("ready");
        const expected = execFileSync(process.env.TRILOBIT_PROGRAM,
            ["run", "-m", tiny, "--prompt", "Once upon a time", "--no-echo", "-n", "1000", "--temp", "0"],
            {encoding: "utf8", stdio: ["ignore", "pipe", "ignore"]});
        await page.set("temperature", 0);
        await page.locator("#tell").click();
        await page.waitForFunction(() => document.querySelectorAll("#story [data-i]").length >= 40);
        await page.locator("#tell").click();
        await page.until("stopped");
        const written = (await page.text()).replace("Once upon a time", "");
        assert.ok(expected.startsWith(written.replace(/\ufffd*$/, "")), written);
        await page.locator("#box").click();
        await page.waitForFunction(() => document.querySelector("#box").hidden);
        await page.until("ready");
        assert.equal(await page.tell(0), greedy);
        assert.deepEqual(page.trouble, []);
    });

test("a beginning that is too long, and none", async (t) => {
    const page = await opened(t);
    await page.until("ready");
    await page.fill("#prompt", "a big dog ".repeat(400));
    await page.locator("#tell").click();
    await page.waitForFunction(() => !document.querySelector("#notice").hidden);
    assert.match(await page.notice(), /too long: the model reads 256 tokens/);
    await page.until("ready");
    await page.fill("#prompt", "");
    await page.tell(0);
    assert.ok((await page.text()).length > 20);
    assert.deepEqual(page.trouble, []);
});

test("without SIMD it says so", async (t) => {
    const page = await opened(t, onDisk, {prepare: (p) =>
        p.addInitScript(() => { WebAssembly.validate = () => false; })});
    await page.waitForFunction(() => !document.querySelector("#notice").hidden);
    assert.match(await page.notice(), /no SIMD/);
    assert.equal(await page.locator("#tell").isDisabled(), true);
});

for (const width of [320, 390, 1280])
    test(`nothing sticks out at ${width} pixels`, async (t) => {
        const page = await opened(t, onDisk, {viewport: {width, height: 800}});
        await page.until("ready");
        await page.tell(0);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= width);
    });
