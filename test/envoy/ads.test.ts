import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { writeCertificate } from "../../certs/agent/certificate-files.ts";
import { buildBootstrap } from "../../src/envoy/bootstrap.ts";
import { findTool } from "../../src/runtime/tools.ts";
import type { ResourceSet } from "../../src/std/resource-set.ts";
import { startXdsServer, type XdsServer } from "../../src/xds/server.ts";
import type { ProxyOutcome } from "../../src/xds/sessions.ts";
import { createTestAuthority, type TestAuthority } from "../support/mesh-pki.ts";

const proxy = "shop/web-1";
const identity = "spiffe://weft.local/ns/shop/sa/web";
const ads = { ads: {}, resourceApiVersion: "V3" };

/** A listener, its route, and one cluster per backend with a weight. */
function resources(weights: Readonly<Record<string, number>>, ports: Readonly<Record<string, number>>): ResourceSet {
  const router = { name: "router", typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" } };
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    statPrefix: "test",
    rds: { configSource: ads, routeConfigName: "r" },
    httpFilters: [router],
  };
  const names = Object.keys(weights);
  const clusters = Object.entries(weights).map(([name, weight]) => ({ name, weight }));
  return {
    cluster: new Map(names.map((name) => [name, { name, type: "EDS", connectTimeout: "1s", edsClusterConfig: { edsConfig: ads } }])),
    endpoint: new Map(names.map((name) => [name, endpoints(name, ports[name] ?? 0)])),
    listener: new Map([["l", { name: "l", address: socketAddress(0), filterChains: [{ filters: [{ name: "hcm", typedConfig: manager }] }] }]]),
    route: new Map([["r", { name: "r", virtualHosts: [{ name: "v", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { weightedClusters: { clusters } } }] }] }]]),
  };
}

function endpoints(clusterName: string, port: number): object {
  return { clusterName, endpoints: [{ lbEndpoints: [{ endpoint: { address: socketAddress(port) } }] }] };
}

function socketAddress(portValue: number) {
  return { socketAddress: { address: "127.0.0.1", portValue } };
}

describe("a real Envoy on our ADS", () => {
  const directory = mkdtempSync(join(tmpdir(), "weft-ads-"));
  const backends: Server[] = [];
  const ports: Record<string, number> = {};
  const outcomes: ProxyOutcome[] = [];
  let authority: TestAuthority;
  let current: ResourceSet;
  let server: XdsServer;
  let envoy: ChildProcess;
  let url: string;

  beforeAll(async () => {
    authority = await createTestAuthority();
    for (const name of ["v1", "v2"]) ports[name] = await backend(name);
    current = resources({ v1: 1 }, ports);
    server = await serve("127.0.0.1:0");
    envoy = await startEnvoy(server.address);
    url = await listenerUrl();
  });

  afterAll(async () => {
    envoy.kill();
    if (envoy.exitCode === null) await once(envoy, "exit");
    await server.stop();
    for (const each of backends) each.close().closeAllConnections();
    rmSync(directory, { recursive: true, force: true });
  });

  async function backend(name: string): Promise<number> {
    const listening = createServer((_, response) => response.end(name)).listen(0, "127.0.0.1");
    await once(listening, "listening");
    backends.push(listening);
    return (listening.address() as AddressInfo).port;
  }

  async function serve(listen: string): Promise<XdsServer> {
    const serving = await authority.serving(["localhost"]);
    return startXdsServer({
      listen,
      credentials: { current: () => serving, onChange: () => () => undefined },
      trustBundle: { current: () => authority.root, onChange: () => () => undefined },
      authorize: (nodeId, spiffeIds) => (nodeId === proxy && spiffeIds.includes(identity) ? { ok: true, proxy } : { ok: false, reason: "not yours" }),
      resources: () => current,
      onOutcome: (outcome) => outcomes.push(outcome),
      logger: pino({ level: "silent" }),
    });
  }

  async function startEnvoy(address: string): Promise<ChildProcess> {
    const { certificateChain, key } = await authority.workload(identity);
    await writeCertificate(directory, { certificateChain, key, trustBundle: authority.root });
    const bootstrap = { ...buildBootstrap({ xds: address, statsd: false, flushInterval: "5s" }), admin: { address: socketAddress(0) } };
    const flags = ["--service-cluster", "weft", "--service-node", proxy, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"];
    return spawn(await findTool("envoy"), ["--config-yaml", JSON.stringify(bootstrap), "--admin-address-path", "admin", ...flags], { cwd: directory, stdio: "inherit" });
  }

  async function listenerUrl(): Promise<string> {
    const address = await vi.waitFor(async () => {
      const text = await (await fetch(`http://${readFileSync(join(directory, "admin"), "utf8")}/listeners`)).text();
      const [, found] = /^l::(127\.0\.0\.1:[1-9][0-9]*)/m.exec(text) ?? [];
      if (found === undefined) throw new Error(`no listener yet: ${text}`);
      return found;
    }, { timeout: 20_000 });
    return `http://${address}/`;
  }

  async function ask(): Promise<string> {
    const response = await fetch(url);
    return `${response.status} ${await response.text()}`;
  }

  it("connects over mTLS and serves what it was told", async () => {
    expect(await ask()).toBe("200 v1");
    expect(server.connected()).toEqual([proxy]);
    expect(outcomes.filter(({ kind }) => kind === "refused")).toEqual([]);
  });

  it("moves to a cluster that is new without failing a request", async () => {
    const answers = new Set<string>();
    current = resources({ v1: 0, v2: 1 }, ports);
    server.publish();

    await expect.poll(async () => answers.add(await ask()).has("200 v2"), { interval: 1, timeout: 20_000 }).toBe(true);

    expect(answers).toEqual(new Set(["200 v1", "200 v2"]));
    await expect.poll(() => server.openPublishes()).toBe(0);
    expect(server.lastConvergence()).toMatchObject({ proxies: 1, told: 1, refused: 0 });
  });

  it("changes weights", async () => {
    current = resources({ v1: 1, v2: 1 }, ports);
    server.publish();
    await expect.poll(() => server.openPublishes()).toBe(0);

    const answers = await Promise.all(Array.from({ length: 40 }, ask));

    expect(new Set(answers)).toEqual(new Set(["200 v1", "200 v2"]));
  });

  it("takes a changed cluster with the endpoints it had, without the 15 s for which Envoy waits for endpoints", async () => {
    const before = resources({ v1: 1, v2: 1 }, ports);
    current = { ...before, cluster: new Map([...before.cluster].map(([name, cluster]) => [name, { ...cluster, connectTimeout: "2s" }])) };
    server.publish();
    await expect.poll(() => server.openPublishes(), { timeout: 10_000 }).toBe(0);

    expect(server.lastConvergence()).toMatchObject({ told: 1, refused: 0 });
    expect(await ask()).toMatch(/^200 v/);
  });

  it("keeps its last good configuration when it refuses the next, and says what it refuses", async () => {
    function refusal(): ProxyOutcome | undefined {
      return outcomes.find(({ kind }) => kind === "refused");
    }
    // Weights that add up to nothing: Envoy refuses the route.
    current = resources({ v1: 0, v2: 0 }, ports);
    server.publish();
    await expect.poll(refusal, { timeout: 20_000 }).toBeDefined();

    expect(refusal()).toMatchObject({ kind: "refused", proxy, type: "route", names: ["r"], sentence: expect.stringContaining("weight") });
    expect(await ask()).toMatch(/^200 v/);
    await expect.poll(() => server.openPublishes()).toBe(0);
    expect(server.lastConvergence()).toMatchObject({ refused: 1 });
    expect(outcomes.filter(({ kind }) => kind === "refused")).toHaveLength(1);
  });

  it("goes on while the server is away, and takes changes and removals after its restart", async () => {
    const { address } = server;
    await server.stop();
    expect(await ask()).toMatch(/^200 v/);

    current = resources({ v2: 1 }, ports);
    server = await serve(address);
    await expect.poll(() => server.connected(), { timeout: 20_000 }).toEqual([proxy]);
    const admin = `http://${readFileSync(join(directory, "admin"), "utf8").trim()}`;
    await expect.poll(async () => (await fetch(`${admin}/clusters`)).text(), { timeout: 20_000 }).not.toMatch(/^v1::/m);

    expect(new Set(await Promise.all(Array.from({ length: 10 }, ask)))).toEqual(new Set(["200 v2"]));
  });
});
