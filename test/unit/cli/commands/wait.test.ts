import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";

const main = new URL("../../../../src/cli/main.ts", import.meta.url).pathname;
let server: Server | undefined;
afterEach(close);

async function close(): Promise<void> {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
}

async function wait(...args: string[]) {
  const child = spawn(process.execPath, [main, "wait", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let err = "";
  let out = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  child.stderr.on("data", (chunk) => (err += String(chunk)));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}

/** Answers with these statuses in turn, then with the last. */
async function listen(...statuses: number[]): Promise<string> {
  let asked = 0;
  server = createServer((_request, response) => {
    response.writeHead(statuses[asked] ?? 500).end("not yet\n");
    asked = Math.min(asked + 1, statuses.length - 1);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/ready`;
}

describe("weft wait", () => {
  it("ends when the URL answers", async () => {
    expect(await wait("--url", await listen(503, 503, 200))).toEqual({ code: 0, out: "", err: "" });
  });

  it("says in one line what it waited for in vain", async () => {
    const url = await listen(503);

    expect(await wait("--url", url, "--timeout", "300ms")).toEqual({ code: 1, out: "", err: `weft wait: ${url} did not become ready within 0.3 s: 503 not yet\n` });
    await close();
    const { err } = await wait("--url", url, "--timeout", "1ms");
    expect(err).toBe(`weft wait: ${url} did not become ready within 0.001 s: connect ECONNREFUSED ${new URL(url).host}\n`);
  });

  it("lets a time pass", async () => {
    const before = Date.now();

    expect((await wait("--for", "400ms")).code).toBe(0);
    expect(Date.now() - before).toBeGreaterThanOrEqual(400);
  });

  it.each([
    [[], "--url or --for is needed."],
    [["--url", "nowhere"], "--url must be a URL, not 'nowhere'."],
    [["--for", "long"], "--for must be a duration such as 60s, not 'long'."],
    [["--sleep"], "Unknown option '--sleep'"],
  ])("refuses %j with exit code 2", async (args, sentence) => {
    const { code, err } = await wait(...args);

    expect(code).toBe(2);
    expect(err).toContain(`weft wait: ${sentence}`);
  });
});
