/** Pods for tests: network namespaces on one bridge, redirected by `weft init`, with an application and a real Envoy each. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, copyFileSync, linkSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { writeCertificate } from "../../certs/agent/certificate-files.ts";
import { buildBootstrap } from "../../src/envoy/bootstrap.ts";
import { findTool } from "../../src/runtime/tools.ts";
import { proxyUser } from "../../src/std/well-known.ts";
import type { ResourceSet } from "../../src/std/resource-set.ts";
import { toFileResources } from "./file-resources.ts";
import type { Answer, Call } from "./ask.ts";
import type { TestAuthority } from "../support/mesh-pki.ts";

const execute = promisify(execFile);

export interface TestPod {
  readonly name: string;
  readonly address: string;
  /** Applies resources; those of a running proxy are replaced where they changed. */
  configure(resources: ResourceSet): void;
  /** Starts the proxy, and waits until it works. */
  startProxy(identity: string, authority: TestAuthority): Promise<void>;
  ask(...calls: readonly Call[]): Promise<readonly Answer[]>;
}

export interface TestPods {
  /** `mesh`: with redirection; the proxy is started later. */
  add(name: string, kind: "mesh" | "plain"): Promise<TestPod>;
  stop(): Promise<void>;
}

/**
 * Needs root. Addresses are 10.98.0.2, .3, … in the order of `add`; 10.97.0.0/16 is for virtual ones. With `dual` they are
 * fd98::2, fd98::3, … as well, and fd97::/64 is for virtual ones.
 */
export async function startPods(families: "ipv4" | "dual" = "ipv4"): Promise<TestPods> {
  if (process.getuid?.() !== 0) throw new Error("this test makes network namespaces: run it as root");
  const bridge = `weft-b${process.pid}`;
  const directory = mkdtempSync(join(tmpdir(), "weft-pods-"));
  const envoy = join(directory, "envoy");
  linkOrCopy(await findTool("envoy"), envoy);
  await execute("chmod", ["755", directory]);
  await Promise.all([findTool("ip"), findTool("iptables")]);
  const namespaces = [bridge];
  const children: ChildProcess[] = [];
  await ip("netns", "add", bridge);
  await ip("-n", bridge, "link", "add", "br0", "type", "bridge");
  await ip("-n", bridge, "address", "add", "10.98.0.1/16", "dev", "br0");
  await ip("-n", bridge, "link", "set", "br0", "up");
  if (families === "dual") await ip("-n", bridge, "address", "add", "fd98::1/64", "dev", "br0", "nodad");
  return {
    async add(name, kind) {
      const namespace = `weft-${name}-${process.pid}`;
      const number = namespaces.push(namespace);
      const address = `10.98.0.${number}`;
      await joinBridge(namespace, { bridge, number, address });
      if (families === "dual") await addIpv6(namespace, number);
      await run(children, namespace, { args: ["test/envoy/application.ts", name], sign: "ready" });
      if (kind === "mesh") await inNamespace(namespace, process.execPath, "src/cli/main.ts", "init");
      return createPod({ name, namespace, address, directory: join(directory, name), envoy, children });
    },
    async stop() {
      for (const child of children) await end(child);
      for (const namespace of namespaces) await ip("netns", "delete", namespace);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface PodOptions {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly directory: string;
  readonly envoy: string;
  readonly children: ChildProcess[];
}

function createPod({ name, namespace, address, directory, envoy, children }: PodOptions): TestPod {
  mkdirSync(directory);
  const last = new Map<string, string>();
  return {
    name,
    address,
    configure(resources) {
      for (const [file, text] of toFileResources(resources)) {
        if (last.get(file) === text) continue;
        last.set(file, text);
        writeFileSync(join(directory, `.${file}`), text);
        renameSync(join(directory, `.${file}`), join(directory, file));
      }
    },
    async startProxy(identity, authority) {
      await writeCertificate(directory, { ...(await authority.workload(identity)), trustBundle: authority.root });
      giveAway(directory);
      const { dynamicResources: _ads, staticResources: _clusters, ...rest } = buildBootstrap({ xds: "127.0.0.1:15010", statsd: false, flushInterval: "5s" });
      const bootstrap = { ...rest, node: { id: `shop/${name}`, cluster: "weft" }, dynamicResources: fromFiles };
      const drop = `process.setgroups([]);process.setgid(${proxyUser});process.setuid(${proxyUser});process.execve(process.argv[1],process.argv.slice(1))`;
      const flags = ["--config-yaml", JSON.stringify(bootstrap), "--concurrency", "1", "--disable-hot-restart", "--log-level", "info"];
      await run(children, namespace, { args: ["-e", drop, envoy, ...flags], sign: "all dependencies initialized. starting workers", cwd: directory });
    },
    async ask(...calls) {
      const { stdout } = await inNamespace(namespace, process.execPath, "test/envoy/ask.ts", JSON.stringify(calls));
      return JSON.parse(stdout) as readonly Answer[];
    },
  };
}

const fromFiles = {
  cdsConfig: { resourceApiVersion: "V3", pathConfigSource: { path: "./cluster.json" } },
  ldsConfig: { resourceApiVersion: "V3", pathConfigSource: { path: "./listener.json" } },
};

async function joinBridge(namespace: string, { bridge, number, address }: { readonly bridge: string; readonly number: number; readonly address: string }): Promise<void> {
  await ip("netns", "add", namespace);
  await ip("-n", bridge, "link", "add", `v${number}`, "type", "veth", "peer", "name", "eth0", "netns", namespace);
  await ip("-n", bridge, "link", "set", `v${number}`, "master", "br0", "up");
  await ip("-n", namespace, "link", "set", "lo", "up");
  await ip("-n", namespace, "link", "set", "eth0", "up");
  await ip("-n", namespace, "address", "add", `${address}/16`, "dev", "eth0");
  await ip("-n", namespace, "route", "add", "default", "via", "10.98.0.1");
}

async function addIpv6(namespace: string, number: number): Promise<void> {
  await ip("-n", namespace, "address", "add", `fd98::${number}/64`, "dev", "eth0", "nodad");
  await ip("-n", namespace, "-6", "route", "add", "default", "via", "fd98::1");
}

interface NodeProgram {
  readonly args: readonly string[];
  readonly sign: string;
  readonly cwd?: string;
}

/** Starts Node in a namespace and waits for a line that has `sign`; fails with all that was said when it ends before. */
async function run(children: ChildProcess[], namespace: string, { args, sign, cwd = process.cwd() }: NodeProgram): Promise<void> {
  const child = spawn("ip", ["netns", "exec", namespace, process.execPath, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        said.push(line);
        if (line.includes(sign)) resolve();
        if (/\]\[(warning|error|critical)\]/.test(line) && process.env["WEFT_TEST_VERBOSE"]) process.stderr.write(`${namespace}: ${line}\n`);
      });
    }
    child.on("exit", () => reject(new Error(`${namespace}: ended before it said ${JSON.stringify(sign)}:\n${said.slice(-8).join("\n")}`)));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill();
  await ended;
}

async function ip(...args: readonly string[]): Promise<void> {
  await execute("ip", [...args]);
}

function inNamespace(namespace: string, ...command: readonly string[]) {
  return execute("ip", ["netns", "exec", namespace, ...command], { maxBuffer: 16_777_216 });
}

/** The proxy runs as a user of its own and must reach its binary; a link where the file system allows it. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

function giveAway(directory: string): void {
  chownSync(directory, proxyUser, proxyUser);
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    const path = join(directory, name);
    if (!name.endsWith("current")) chownSync(path, proxyUser, proxyUser);
  }
}
