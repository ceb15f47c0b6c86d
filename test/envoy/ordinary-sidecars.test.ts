import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { findTool } from "../../src/runtime/tools.ts";

/** The three sidecars as ordinary containers have them: processes that nobody ends in order. */
interface Sidecars {
  readonly agent: ChildProcess;
  readonly proxy: ChildProcess;
  readonly adapter: ChildProcess;
  readonly health: string;
  readonly inbound: string;
}

const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
let children: ChildProcess[] = [];
let directory = "";
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  children = [];
  if (directory !== "") await rm(directory, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function start(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(program, [...args], { stdio: ["ignore", "inherit", "ignore"], env: { ...process.env, ...env } });
  children.push(child);
  return child;
}

/** The status of an answer; 0 when there is none. */
async function ask(url: string, method = "GET"): Promise<number> {
  return fetch(url, { method }).then(({ status }) => status, () => 0);
}

function address(port: number): object {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}

/** An inbound listener that answers 200 by itself. */
function bootstrap(admin: number, inbound: number): object {
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "inbound",
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }] }] },
    http_filters: [{ name: "envoy.filters.http.router", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" } }],
  };
  const listener = { name: "inbound", traffic_direction: "INBOUND", address: address(inbound), filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }] };
  return { node: { id: "shop/job-1", cluster: "weft" }, admin: { address: address(admin) }, static_resources: { listeners: [listener] } };
}

async function startSidecars(drainSeconds: string): Promise<Sidecars> {
  directory = await mkdtemp(join(tmpdir(), "weft-ordinary-"));
  const [admin, inbound, health, metrics] = [await freePort(), await freePort(), await freePort(), await freePort()];
  await writeFile(join(directory, "envoy.json"), JSON.stringify(bootstrap(admin, inbound)));
  await writeFile(join(directory, "token"), "none");
  await writeFile(join(directory, "roots.pem"), "none");
  const proxy = start(await findTool("envoy"), ["-c", join(directory, "envoy.json"), "--concurrency", "1", "--use-dynamic-base-id", "-l", "off", "--drain-time-s", "1", "--drain-strategy", "immediate"]);
  const adapter = start(process.execPath, [main, "adapter", "--statsd", "127.0.0.1:0", "--metrics", `127.0.0.1:${metrics}`]);
  const flags = ["--ca", "https://127.0.0.1:9", "--token", "token", "--trust-bundle", "roots.pem", "--directory", "run", "--health", `127.0.0.1:${health}`, "--admin", `127.0.0.1:${admin}`];
  const files = flags.map((flag) => (["token", "roots.pem", "run"].includes(flag) ? join(directory, flag) : flag));
  const agent = start(process.execPath, [main, "agent", ...files], { WEFT_DRAIN_SECONDS: drainSeconds, WEFT_ADAPTER: `http://127.0.0.1:${metrics}` });
  const sidecars = { agent, proxy, adapter, health: `http://127.0.0.1:${health}`, inbound: `http://127.0.0.1:${inbound}` };
  await vi.waitFor(async () => expect([await ask(`${sidecars.health}/ready/proxy`), await ask(`http://127.0.0.1:${metrics}/ready`)]).toEqual([200, 200]), { timeout: 30_000, interval: 100 });
  return sidecars;
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

describe("sidecars that are ordinary containers", () => {
  it("end all three with code 0 when a Job says that it is done", async () => {
    const { agent, proxy, adapter, health } = await startSidecars("5");

    expect(await ask(`${health}/quitquitquit`, "POST")).toBe(200);
    expect(await Promise.all([agent, proxy, adapter].map(exitCode))).toEqual([0, 0, 0]);
  });

  it("drain when they are told to end: callers are sent away, and served, and the agent answers until the proxy has ended", async () => {
    const { agent, proxy, health, inbound } = await startSidecars("30");

    agent.kill("SIGTERM");

    await vi.waitFor(async () => expect((await fetch(inbound)).headers.get("connection")).toBe("close"), { timeout: 10_000, interval: 50 });
    expect([await ask(inbound), await ask(`${health}/ready/proxy`), agent.exitCode]).toEqual([200, 200, null]);
    proxy.kill("SIGTERM");
    expect([await exitCode(proxy), await exitCode(agent)]).toEqual([0, 0]);
  });
});
