import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";

const main = new URL("../../../src/cli/main.ts", import.meta.url).pathname;

async function weft(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [main, "adapter", ...args], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const output = { out: "", err: "" };
  child.stdout.on("data", (chunk) => (output.out += String(chunk)));
  child.stderr.on("data", (chunk) => {
    output.err += String(chunk);
    if (output.err.includes("adapter is listening")) child.kill("SIGTERM");
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output };
}

describe("weft adapter", () => {
  it.each([
    [["--statsd", "nine"], "--statsd must be HOST:PORT, such as 127.0.0.1:9125 or [::1]:9125, not 'nine'"],
    [["--metrics", "127.0.0.1:70000"], "--metrics must be HOST:PORT, such as 127.0.0.1:9125 or [::1]:9125, not '127.0.0.1:70000'"],
    [["--max-series", "0"], "--max-series must be a whole number from 1 to 99999999, not '0'"],
    [["--ttl", "ten"], "--ttl must be a duration such as 30s, 10m or 1h, or 0, not 'ten'"],
    [["--nothing"], "Unknown option '--nothing'"],
    [["extra"], "Unexpected argument 'extra'"],
  ])("refuses %j with exit code 2", async (args, sentence) => {
    const { code, out, err } = await weft(args);

    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(`weft adapter: ${sentence}`);
  });

  it("shows its flags", async () => {
    const { code, out } = await weft(["--help"]);

    expect(code).toBe(0);
    expect(out).toContain("--max-series N       more are dropped, and counted  WEFT_MAX_SERIES  10000\n");
    expect(out).toContain("Example:\n  weft adapter --statsd");
  });

  it("takes its addresses from the environment, and ends with 0 on SIGTERM", async () => {
    const { code, err } = await weft([], { WEFT_STATSD: "127.0.0.1:0", WEFT_METRICS: "[::1]:0", WEFT_TTL: "0", WEFT_LOG_LEVEL: "info" });

    expect(code).toBe(0);
    expect(JSON.parse(err)).toMatchObject({ statsd: { host: "127.0.0.1" }, metrics: { host: "::1" }, msg: "adapter is listening" });
  });

  it("says which port is taken, with exit code 1", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };

    const { code, err } = await weft(["--statsd", "127.0.0.1:0", "--metrics", `127.0.0.1:${port}`]);

    server.close();
    expect(code).toBe(1);
    expect(err).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`);
  });
});
