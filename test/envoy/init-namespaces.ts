/** Two network namespaces joined by two pairs of links: a pod, whose traffic is redirected, and another machine; both families. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { findTool } from "../../src/runtime/tools.ts";

const execute = promisify(execFile);

export type Family = "ipv4" | "ipv6";
export const families = ["ipv4", "ipv6"] as const;

/** `second` is on the pod's second link, net1; `elsewhere` is behind the peer. */
export const addresses = {
  ipv4: { pod: "10.99.7.2", peer: "10.99.7.1", elsewhere: "10.99.8.1", secondPod: "10.99.9.2", secondPeer: "10.99.9.1", loopback: "127.0.0.1", inboundSource: "127.0.0.6" },
  ipv6: { pod: "fd99:7::2", peer: "fd99:7::1", elsewhere: "fd99:8::1", secondPod: "fd99:9::2", secondPeer: "fd99:9::1", loopback: "::1", inboundSource: "::6" },
} as const satisfies Readonly<Record<Family, unknown>>;

export type Place = keyof (typeof addresses)["ipv4"];

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Call {
  readonly from: "pod" | "peer";
  readonly as: number;
  readonly to: Place;
  /** `9000` or `9000/udp`. */
  readonly port: string;
  readonly source?: Place;
}

export interface Namespaces {
  /** Runs a program in the pod. */
  run(...command: readonly string[]): Promise<Outcome>;
  init(...flags: readonly string[]): Promise<Outcome>;
  /** What stands in table nat of a family's filter. */
  rules(family: Family, filter: "nft" | "legacy"): Promise<readonly string[]>;
  /** Who answered: `15006 from 10.99.7.1` = the listener on 15006, called from that address. */
  call(family: Family, call: Call): Promise<string>;
  stop(): Promise<void>;
}

const tools: Readonly<Record<Family, string>> = { ipv4: "iptables", ipv6: "ip6tables" };
let made = 0;

/** Needs root. `links: "ipv4"` leaves the links without IPv6 addresses but their link-local ones. */
export async function makeNamespaces(links: "dual" | "ipv4" = "dual"): Promise<Namespaces> {
  if (process.getuid?.() !== 0) throw new Error("this test makes network namespaces: run it as root");
  await Promise.all([findTool("ip"), findTool("iptables")]);
  made += 1;
  const names = { pod: `weft-pod-${process.pid}-${made}`, peer: `weft-peer-${process.pid}-${made}` };
  const listeners: ChildProcess[] = [];
  async function stop(): Promise<void> {
    for (const child of listeners) await end(child);
    for (const name of Object.values(names)) await execute("ip", ["netns", "delete", name]);
  }
  for (const name of Object.values(names)) await execute("ip", ["netns", "add", name]);
  try {
    await join(names, links);
    listeners.push(startListeners(names.pod, 8080, 8081, 15001, 15006, 15020, 15090), startListeners(names.peer, 9000, 9001));
    for (const child of listeners) await ready(child);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    run: (...command) => inNamespace(names.pod, command),
    init: (...flags) => inNamespace(names.pod, [process.execPath, "src/cli/main.ts", "init", ...flags]),
    async rules(family, filter) {
      const { stdout } = await inNamespace(names.pod, [`${tools[family]}-${filter}-save`, "-t", "nat"]);
      return stdout.split("\n").filter((line) => line.startsWith("-A"));
    },
    async call(family, { from, as, to, port, source }) {
      const own = addresses[family];
      const { stdout } = await inNamespace(names[from], [process.execPath, "test/support/call-port.ts", String(as), own[to], port, ...(source === undefined ? [] : [own[source]])]);
      return stdout;
    },
    stop,
  };
}

async function join(names: { readonly pod: string; readonly peer: string }, links: "dual" | "ipv4"): Promise<void> {
  const kept = links === "dual" ? families : (["ipv4"] as const);
  for (const name of Object.values(names)) await ip(name, "link", "set", "lo", "up");
  for (const [link, pod, peer] of [["eth0", "pod", "peer"], ["net1", "secondPod", "secondPeer"]] as const) {
    await execute("ip", ["link", "add", link, "netns", names.pod, "type", "veth", "peer", "name", link, "netns", names.peer]);
    for (const [name, place] of [[names.pod, pod], [names.peer, peer]] as const) {
      for (const family of kept) await addAddress(name, family, { address: addresses[family][place], link });
      await ip(name, "link", "set", link, "up");
    }
  }
  for (const family of kept) {
    await addAddress(names.peer, family, { address: addresses[family].elsewhere, link: "lo" });
    await ip(names.pod, ...(family === "ipv6" ? ["-6"] : []), "route", "add", "default", "via", addresses[family].peer);
  }
}

/** Without nodad an IPv6 address may not be used for a second or two. */
async function addAddress(name: string, family: Family, { address, link }: { readonly address: string; readonly link: string }): Promise<void> {
  const length = link === "lo" ? { ipv4: 32, ipv6: 128 }[family] : { ipv4: 24, ipv6: 64 }[family];
  await ip(name, "address", "add", `${address}/${length}`, "dev", link, ...(family === "ipv6" ? ["nodad"] : []));
}

async function ip(name: string, ...args: readonly string[]): Promise<void> {
  await execute("ip", ["-n", name, ...args]);
}

async function inNamespace(name: string, command: readonly string[]): Promise<Outcome> {
  try {
    return { code: 0, ...(await execute("ip", ["netns", "exec", name, ...command])) };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}

function startListeners(name: string, ...ports: readonly number[]): ChildProcess {
  return spawn("ip", ["netns", "exec", name, process.execPath, "test/support/listen-ports.ts", ...ports.map(String)], { stdio: ["ignore", "pipe", "inherit"] });
}

async function ready(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error("the listeners have no output");
  const [first] = (await Promise.race([once(child.stdout, "data"), once(child, "exit")])) as unknown[];
  if (!Buffer.isBuffer(first)) throw new Error(`the listeners ended before they were ready: ${String(first)}`);
}

async function end(child: ChildProcess): Promise<void> {
  const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
  child.kill();
  await ended;
}
