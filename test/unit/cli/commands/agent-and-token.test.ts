import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDirectoryStore } from "../../../../certs/ca/directory-store.ts";
import { openEmbeddedTokens } from "../../../../certs/ca/embedded-tokens.ts";
import { runCa, type RunningCa } from "../../certs/running-ca.ts";

const main = new URL("../../../../src/cli/main.ts", import.meta.url).pathname;
let directory = "";
let ca: RunningCa | undefined;
let child: ChildProcess | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "weft-cli-"));
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await ca?.stop();
  rmSync(directory, { recursive: true });
});

function weft(...args: string[]) {
  return spawnSync(process.execPath, [main, ...args], { encoding: "utf8", cwd: directory });
}

describe("weft token", () => {
  it("prints a token that the control plane on that state knows", async () => {
    const printed = weft("token", "--state", "state", "--pod", "bookstore/web-1");
    const tokens = await openEmbeddedTokens(createDirectoryStore(join(directory, "state", "tokens")), Date.now);

    expect([printed.status, printed.stderr]).toEqual([0, ""]);
    expect(await tokens.authenticate(printed.stdout.trim(), { audience: "weft-ca" })).toEqual({ namespace: "bookstore", pod: "web-1" });
    expect(await tokens.authenticate(printed.stdout.trim(), { audience: "vault" })).toBeUndefined();
  });

  it.each([
    { args: ["--state", "s", "--pod", "web-1"], status: 2, message: "'web-1' is invalid. A pod is named NAMESPACE/POD." },
    { args: ["--state", "s", "--pod", "a/b", "--expires-in", "soon"], status: 2, message: "'soon' is invalid. A duration is a number with s, m or h, such as 90s, 15m or 1h." },
    { args: [], status: 2, message: "weft token: --state <dir> and --pod <namespace/pod> are needed" },
  ])("refuses $args", ({ args, status, message }) => {
    const printed = weft("token", ...args);

    expect(printed.status).toBe(status);
    expect(printed.stderr).toContain(message);
    expect(printed.stdout).toBe("");
  });
});

describe("weft agent", () => {
  it("becomes ready, and ends cleanly on SIGTERM", async () => {
    ca = await runCa();
    writeFileSync(join(directory, "roots.pem"), ca.authority.trustBundle());
    writeFileSync(join(directory, "token"), ca.token());
    const agent = spawn(process.execPath, [main, "agent", "--ca", ca.address, "--health", "127.0.0.1:0", "--directory", "run"], {
      cwd: directory,
      env: { ...process.env, WEFT_TRUST_BUNDLE: "roots.pem", WEFT_TOKEN: "token", WEFT_LOG_LEVEL: "info" },
    });
    child = agent;
    let log = "";
    agent.stderr.setEncoding("utf8").on("data", (chunk) => (log += String(chunk)));

    await vi.waitFor(() => expect(log).toContain("certificate on disk"), { timeout: 10_000, interval: 20 });
    const health = /health on (http:\S+)/.exec(log)?.[1];
    expect((await fetch(`${health}/ready/agent`)).status).toBe(200);
    const ended = new Promise((resolve) => agent.on("exit", (code, signal) => resolve([code, signal])));
    agent.kill("SIGTERM");

    expect(await ended).toEqual([0, null]);
    expect(log).not.toContain("BEGIN");
  });

  it.each([
    { args: [], message: "--ca (or WEFT_CA) is needed" },
    { args: ["--ca", "http://ca:1"], message: "--ca must be an https:// URL, not 'http://ca:1'." },
    { args: ["--ca", "https://ca:1", "--health", "nowhere"], message: "--health must be HOST:PORT, not 'nowhere'." },
    { args: ["--ca", "https://ca:1", "--colour", "red"], message: "Unknown option '--colour'" },
  ])("refuses $args", ({ args, message }) => {
    const printed = weft("agent", ...args);

    expect(printed.status).toBe(2);
    expect(printed.stderr).toContain(message);
  });

  it("shows its flags", () => {
    const printed = weft("agent", "--help");

    expect(printed.status).toBe(0);
    expect(printed.stdout).toContain("--trust-bundle");
    expect(printed.stdout).toContain("Example:");
  });
});
