# SPDX-License-Identifier: MIT
"""llama-server with the plug-in answers 16 clients at once: nothing is lost, and whoever asks in
company reads what they read alone, tokens and log probabilities, to the last digit.

Each client has a cache of its own (--no-kv-unified, as -np N alone has it). In a cache that all
share (--kv-unified) a client's keys lie among those of others, ggml's attention sums its floats in
another order, and texts differ sometimes, without the plug-in as with it. Without --plugin the
server is asked the same with llama.cpp's own kernels."""

import argparse
import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[4]
SERVER = ROOT / "build/rivals/bin/llama-server"
PROMPTS = [
    "Once upon a time", "One day", "Lily and Tom", "The big dog", "In a small house",
    "There was a girl", "A bird sat in a tree", "Tim had a red ball", "Mom said", "The sun was hot",
    "Sara liked to play outside with", "It was night and the cat", "\"Can I help you?\" asked",
    "The little boy was sad because he could not find his",
    "Every day the old man went to the park and fed the ducks. One morning", "Ben ran",
]


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--model", type=pathlib.Path,
                   default=ROOT / "examples/models/stories-ternary.gguf")
    p.add_argument("--plugin", type=pathlib.Path)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--tokens", type=int, default=24)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("more", nargs="*", metavar="-- OPTION", help="for llama-server, behind --")
    return p.parse_args()


def need_llama():
    """Programs of llama.cpp, or a loud skip. Tests run side by side, and one of them fetches."""
    (ROOT / "build").mkdir(exist_ok=True)
    with open(ROOT / "build/.rivals.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run([ROOT / "scripts/fetch-rivals"], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        print(f"skipped: llama.cpp cannot be had: {done.stdout}")
        sys.exit(4)


class Server:
    def __init__(self, a, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(("LLAMA_", "GGML_", "RIVAL_"))}
        if a.plugin:
            environment["GGML_BACKEND_PATH"] = str(a.plugin)
        self.log = log
        self.process = subprocess.Popen(
            [SERVER, "-m", a.model, "--host", "127.0.0.1", "--port", str(self.port), "--offline",
             "-np", str(len(PROMPTS)), "-c", str(128 * len(PROMPTS)), "--no-kv-unified",
             "-t", str(a.threads), "-lv", "4", *a.more],
            env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def wait_until_it_serves(self):
        until = time.monotonic() + 120
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.request("GET", "/health")[0] == 200:
                    return
            time.sleep(0.1)
        raise SystemExit(f"llama-server does not serve, status {self.process.poll()}\n"
                         f"{self.tail()}")

    def continue_text(self, prompt, tokens):
        """The text that it makes of a prompt, and all that it says of its tokens."""
        status, answer = self.request("POST", "/completion", {
            "prompt": prompt, "n_predict": tokens, "temperature": 0, "cache_prompt": False,
            "ignore_eos": True, "return_tokens": True, "n_probs": 2})
        if status != 200:
            raise ValueError(f"status {status}: {answer}")
        if len(answer["tokens"]) != tokens or answer["tokens_predicted"] != tokens:
            raise ValueError(f"{len(answer['tokens'])} tokens of {tokens}")
        return answer["content"], answer["tokens"], answer["completion_probabilities"]

    def stop(self):
        """Its status after a polite request to end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return f"none, killed after a minute ({self.process.wait()})"

    def tail(self):
        self.log.seek(0)
        return "".join(self.log.read().splitlines(keepends=True)[-20:])


def ask_in_company(server, a, alone):
    """All clients at once, each its own prompt again and again. Returns how many answers came, and
    what was wrong with the others."""
    answered, lost, differ = [0] * len(PROMPTS), [], {}
    start = threading.Barrier(len(PROMPTS))
    until = time.monotonic() + a.seconds

    def client(i):
        start.wait()
        while time.monotonic() < until and len(lost) < 100:
            try:
                answer = server.continue_text(PROMPTS[i], a.tokens)
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                lost.append(f"{PROMPTS[i]!r}: {error!r}")
                continue
            answered[i] += 1
            if answer != alone[i]:
                differ.setdefault(i, []).append(answer[0])

    threads = [threading.Thread(target=client, args=(i,)) for i in range(len(PROMPTS))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answered, lost, differ


def main():
    a = arguments()
    need_llama()
    wrong = []
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        server = Server(a, log)
        try:
            server.wait_until_it_serves()
            server.continue_text(PROMPTS[0], a.tokens)  # what is made on first use is made
            began = time.monotonic()
            alone = [server.continue_text(p, a.tokens) for p in PROMPTS]
            middle = time.monotonic()
            answered, lost, differ = ask_in_company(server, a, alone)
            end = time.monotonic()
            if server.process.poll() is not None:
                wrong.append("the server died")
        finally:
            status = server.stop()
        if status != 0:
            wrong.append(f"the server ended with status {status}")
        log.seek(0)
        written = log.read()
        if a.plugin and "TRILOBIT model buffer size" not in written:
            wrong.append("the plug-in holds no weights")
        if "trilobit: " in written:
            wrong.append("the plug-in complains")
        if wrong:
            wrong.append(server.tail())
    if min(answered) == 0:
        wrong.append("a client read nothing")
    wrong += lost[:5]
    for i, texts in differ.items():
        wrong.append(f"{len(texts)} of {answered[i]} differ in company, or their probabilities\n"
                     f"  alone    {alone[i][0]!r}\n  together {texts[0]!r}")
    print(f"llama-server{' with trilobit' if a.plugin else ''}, {len(PROMPTS)} clients, "
          f"{end - middle:.0f} s: {sum(answered)} requests answered, {len(lost)} lost, "
          f"{sum(map(len, differ.values()))} unlike alone; "
          f"{a.tokens * len(PROMPTS) / (middle - began):.0f} tokens/s alone, "
          f"{a.tokens * sum(answered) / (end - middle):.0f} in company")
    print("\n".join(wrong), end="\n" if wrong else "")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
