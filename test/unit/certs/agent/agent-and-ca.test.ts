import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startAgent, type AgentHandle, type AgentOptions } from "../../../../certs/agent/start.ts";
import { runCa, workloadOf, type RunningCa } from "../running-ca.ts";

let ca: RunningCa;
let directory = "";
let agents: AgentHandle[] = [];
let warnings: string[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "weft-agent-"));
  warnings = [];
  ca = await runCa();
  writeFileSync(join(directory, "roots.pem"), ca.authority.trustBundle());
  writeFileSync(join(directory, "token"), `${ca.token()}\n`);
});
afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.stop()));
  agents = [];
  await ca.stop();
  rmSync(directory, { recursive: true });
});

async function start(change: Partial<AgentOptions> = {}): Promise<AgentHandle> {
  const agent = await startAgent({
    ca: ca.address,
    trustBundle: join(directory, "roots.pem"),
    token: join(directory, "token"),
    directory: join(directory, "run"),
    health: { host: "127.0.0.1", port: 0 },
    admin: "http://127.0.0.1:9",
    probes: new Map(),
    podIp: "127.0.0.1",
    logger: { info: () => undefined, warn: (facts) => warnings.push(String("err" in facts ? facts.err : "")) },
    ...change,
  });
  agents.push(agent);
  return agent;
}

function file(path: string): string {
  return readFileSync(join(directory, "run", path), "utf8");
}

function leaf(): X509Certificate {
  return new X509Certificate(file("certs/current/tls.crt"));
}

async function status(agent: AgentHandle, path: string): Promise<number> {
  return (await fetch(`http://${agent.address}${path}`)).status;
}

function ready(agent: AgentHandle): Promise<void> {
  return vi.waitFor(async () => expect(await status(agent, "/ready/agent")).toBe(200), { timeout: 10_000, interval: 20 });
}

describe("agent and CA", () => {
  it("puts certificate, key, roots, Envoy's two documents and the settings on disk", async () => {
    const agent = await start();
    await ready(agent);
    await vi.waitFor(() => expect(JSON.parse(file("settings.json"))).toEqual({ metricLabels: { app: "web" }, subjectNames: ["web.example.com"] }), { timeout: 5000, interval: 20 });

    expect(leaf().subjectAltName).toBe("URI:spiffe://weft.local/ns/bookstore/sa/web, DNS:web.example.com");
    expect(leaf().checkPrivateKey(createPrivateKey(file("certs/current/tls.key")))).toBe(true);
    expect(file("certs/current/ca.crt")).toBe(ca.authority.trustBundle());
    expect((statSync(join(directory, "run/certs/current/tls.key")).mode & 0o777).toString(8)).toBe("400");
    await expect(file("certs/identity.yaml")).toMatchFileSnapshot("./identity.yaml");
    await expect(file("certs/trust.yaml")).toMatchFileSnapshot("./trust.yaml");
  });

  it("renews in time with a fresh key in a fresh directory, and keeps the one before", async () => {
    await ca.stop();
    ca = await runCa({ ttlSeconds: () => 3 });
    writeFileSync(join(directory, "roots.pem"), ca.authority.trustBundle());
    writeFileSync(join(directory, "token"), ca.token());
    const agent = await start();
    await ready(agent);
    const links = new Set<string>();
    const keys = new Set<string>();

    await vi.waitFor(
      () => {
        links.add(readlinkSync(join(directory, "run/certs/current")));
        keys.add(file("certs/current/tls.key"));
        expect(links.size).toBe(4);
      },
      { timeout: 15_000, interval: 50 },
    );

    expect(keys.size).toBe(4);
    expect(await status(agent, "/ready/agent")).toBe(200);
    // While a swap is under way there are three for a moment.
    await vi.waitFor(() => expect(readdirSync(join(directory, "run/certs")).filter((name) => name.startsWith("certificate-")).length).toBeLessThanOrEqual(2), { timeout: 2000, interval: 20 });
    expect(leaf().checkPrivateKey(createPrivateKey(file("certs/current/tls.key")))).toBe(true);
    expect(warnings).toEqual([]);
  });

  it("renews at once when its names change", async () => {
    const agent = await start();
    await ready(agent);
    await vi.waitFor(() => file("settings.json"), { timeout: 5000, interval: 20 });

    ca.workloads.set("bookstore/web-1", workloadOf("bookstore/web-1", { subjectNames: ["api.example.com", "web.example.com"] }));
    ca.settings.set("bookstore/web-1", { metricLabels: {}, subjectNames: ["api.example.com", "web.example.com"] });
    await vi.waitFor(
      () => {
        ca.changed();
        expect(leaf().subjectAltName).toBe("URI:spiffe://weft.local/ns/bookstore/sa/web, DNS:api.example.com, DNS:web.example.com");
      },
      { timeout: 10_000, interval: 50 },
    );

    expect(JSON.parse(file("settings.json")).metricLabels).toEqual({});
  });

  it("waits for a good token, a known pod and the right roots, and says what is wrong meanwhile", async () => {
    const other = await runCa();
    await other.stop();
    writeFileSync(join(directory, "token"), "a.b.c");
    writeFileSync(join(directory, "roots.pem"), other.authority.trustBundle());
    const agent = await start();

    await vi.waitFor(() => expect(warnings.join()).toContain("unable to get local issuer certificate"), { timeout: 5000, interval: 20 });
    writeFileSync(join(directory, "roots.pem"), `\uFEFF# ours\r\n${ca.authority.trustBundle()}`);
    await vi.waitFor(() => expect(warnings.join()).toContain("401"), { timeout: 10_000, interval: 20 });
    expect(await status(agent, "/ready/agent")).toBe(503);
    writeFileSync(join(directory, "token"), ca.token("web-2"));
    await vi.waitFor(() => expect(warnings.join()).toContain("403"), { timeout: 10_000, interval: 20 });
    ca.workloads.set("bookstore/web-2", workloadOf("bookstore/web-2"));

    await ready(agent);
    expect(warnings.join()).not.toContain("a.b.c");
  });

  it("keeps the last good certificate when the CA is away, and is not ready once it has expired", async () => {
    await ca.stop();
    ca = await runCa({ ttlSeconds: () => 2 });
    writeFileSync(join(directory, "roots.pem"), ca.authority.trustBundle());
    writeFileSync(join(directory, "token"), ca.token());
    const agent = await start();
    await ready(agent);

    await ca.stop();
    await vi.waitFor(async () => expect(await status(agent, "/ready/agent")).toBe(503), { timeout: 10_000, interval: 50 });

    expect(leaf().subjectAltName).toContain("spiffe://weft.local/ns/bookstore/sa/web");
  });

  it("survives a disk that cannot be written, and goes on when it can", async () => {
    writeFileSync(join(directory, "run"), "a file where the directory should be");
    const agent = await start();

    await vi.waitFor(() => expect(warnings.join()).toContain("ENOTDIR"), { timeout: 10_000, interval: 20 });
    rmSync(join(directory, "run"));

    await ready(agent);
  });
});
