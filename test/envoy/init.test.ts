import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findTool } from "../../src/runtime/tools.ts";

/** Two network namespaces joined by a pair of links: a pod, whose traffic is redirected, and another machine. */
const pod = { namespace: `weft-pod-${process.pid}`, link: `wp${process.pid}`, address: "10.99.7.2" };
const peer = { namespace: `weft-peer-${process.pid}`, link: `wq${process.pid}`, address: "10.99.7.1" };
const elsewhere = "10.99.8.1";
const application = 1000;
const proxy = 1337;

const execute = promisify(execFile);
const listeners: ChildProcess[] = [];

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function inNamespace(namespace: string, ...command: string[]): Promise<Outcome> {
  try {
    return { code: 0, ...(await execute("ip", ["netns", "exec", namespace, ...command])) };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}

function init(...flags: string[]): Promise<Outcome> {
  return inNamespace(pod.namespace, process.execPath, "src/cli/main.ts", "init", ...flags);
}

async function savedRules(): Promise<string[]> {
  const { stdout } = await inNamespace(pod.namespace, "iptables-save", "-t", "nat");
  return stdout.split("\n").filter((line) => line.startsWith("-A"));
}

/** What answered: `15006 from 10.99.7.1` = the listener on 15006, called from that address. */
async function call(namespace: string, uid: number, target: readonly [string, number, string?]): Promise<string> {
  const [host, port, source] = target;
  const { stdout } = await inNamespace(namespace, process.execPath, "test/support/call-port.ts", String(uid), host, String(port), ...(source === undefined ? [] : [source]));
  return stdout;
}

async function listen(namespace: string, ...ports: number[]): Promise<void> {
  const child = spawn("ip", ["netns", "exec", namespace, process.execPath, "test/support/listen-ports.ts", ...ports.map(String)], { stdio: ["ignore", "pipe", "inherit"] });
  listeners.push(child);
  if (child.stdout === null) throw new Error("the listeners have no output");
  await once(child.stdout, "data");
}

async function joinNamespaces(): Promise<void> {
  await execute("ip", ["link", "add", pod.link, "netns", pod.namespace, "type", "veth", "peer", "name", peer.link, "netns", peer.namespace]);
  for (const { namespace, link, address } of [pod, peer]) {
    await execute("ip", ["-n", namespace, "address", "add", `${address}/24`, "dev", link]);
    await execute("ip", ["-n", namespace, "link", "set", link, "up"]);
    await execute("ip", ["-n", namespace, "link", "set", "lo", "up"]);
  }
  await execute("ip", ["-n", peer.namespace, "address", "add", `${elsewhere}/32`, "dev", "lo"]);
  await execute("ip", ["-n", pod.namespace, "route", "add", "default", "via", peer.address]);
}

beforeAll(async () => {
  if (process.getuid?.() !== 0) throw new Error("this test makes network namespaces: run it as root");
  await Promise.all([findTool("ip"), findTool("iptables")]);
  for (const { namespace } of [pod, peer]) await execute("ip", ["netns", "add", namespace]);
  await joinNamespaces();
  await listen(pod.namespace, 8080, 15001, 15006, 15020, 15090);
  await listen(peer.namespace, 9000, 9001);
});

afterAll(async () => {
  for (const child of listeners) {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    child.kill();
    await ended;
  }
  for (const { namespace } of [pod, peer]) await inNamespace(namespace, "true").then(() => execute("ip", ["netns", "delete", namespace]).catch(() => undefined));
});

describe("weft init in a network namespace", () => {
  it("changes nothing in a dry run, and prints what iptables-restore takes", async () => {
    const { stdout } = await init("--dry-run");

    expect(stdout).toContain("*nat\n:WEFT_INBOUND - [0:0]\n");
    expect(stdout).toContain("-A WEFT_REDIRECT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n");
    expect(await savedRules()).toEqual([]);
    expect(await call(peer.namespace, 0, [pod.address, 8080])).toBe("8080 from 10.99.7.1");
  });

  it("says what is missing without NET_ADMIN, and leaves all as it was", async () => {
    const outcome = await inNamespace(pod.namespace, "setpriv", "--bounding-set=-net_admin", process.execPath, "src/cli/main.ts", "init");

    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^weft init: iptables-(nft-)?save failed: .*Redirection needs root \(UID 0\) with the capability NET_ADMIN: allow them to the container weft-init/s);
    expect(await savedRules()).toEqual([]);
  });

  it("says what to install without iptables", async () => {
    const outcome = await inNamespace(pod.namespace, "env", "PATH=/nonexistent", process.execPath, "src/cli/main.ts", "init");

    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toBe(
      "weft init: neither iptables-nft-restore nor iptables-restore is in PATH. Install iptables (Debian: the package iptables), or use weft's own image, which has it.\n",
    );
  });

  it("run again changes nothing, run with other options replaces its rules, and foreign rules stay", async () => {
    await inNamespace(pod.namespace, "iptables", "-t", "nat", "-A", "OUTPUT", "-p", "udp", "-j", "ACCEPT");
    const first = await init();
    const before = await savedRules();

    const second = await init();
    const after = await savedRules();
    const third = await init("--exclude-outbound-ports", "9001");
    const changed = await savedRules();

    expect(first).toMatchObject({ code: 0, stderr: "weft init: traffic is redirected through the proxy.\n" });
    expect(second).toMatchObject({ code: 0, stderr: "weft init: these rules are in force already, nothing changed.\n" });
    expect(after).toEqual(before);
    expect(before).toContain("-A OUTPUT -p udp -j ACCEPT");
    expect(third.code).toBe(0);
    expect(changed.filter((rule) => !before.includes(rule))).toEqual(["-A WEFT_OUTBOUND -p tcp -m tcp --dport 9001 -j RETURN"]);
    expect(changed).toHaveLength(before.length + 1);
  });

  it.each<[string, { from: string; as: number; to: [string, number, string?] }, string]>([
    ["what comes in goes to the proxy", { from: peer.namespace, as: application, to: [pod.address, 8080] }, "15006 from 10.99.7.1"],
    ["also on ports that nobody listens on", { from: peer.namespace, as: application, to: [pod.address, 8081] }, "15006 from 10.99.7.1"],
    ["probes reach the agent", { from: peer.namespace, as: application, to: [pod.address, 15020] }, "15020 from 10.99.7.1"],
    ["scrapes reach the adapter", { from: peer.namespace, as: application, to: [pod.address, 15090] }, "15090 from 10.99.7.1"],
    ["what the application sends goes to the proxy", { from: pod.namespace, as: application, to: [peer.address, 9000] }, "15001 from 10.99.7.2"],
    ["also what root sends", { from: pod.namespace, as: 0, to: [elsewhere, 9000] }, "15001 from 10.99.7.2"],
    ["what the proxy sends leaves", { from: pod.namespace, as: proxy, to: [peer.address, 9000] }, "9000 from 10.99.7.2"],
    ["an excluded port is reached directly", { from: pod.namespace, as: application, to: [peer.address, 9001] }, "9001 from 10.99.7.2"],
    ["the application reaches itself by loopback", { from: pod.namespace, as: application, to: ["127.0.0.1", 8080] }, "8080 from 127.0.0.1"],
    ["the application reaches itself by the pod's address", { from: pod.namespace, as: application, to: [pod.address, 8080] }, "8080 from 10.99.7.2"],
    ["the proxy's call to its own pod comes in as any other", { from: pod.namespace, as: proxy, to: [pod.address, 8080] }, "15006 from 10.99.7.2"],
    ["the proxy's inbound side reaches the application", { from: pod.namespace, as: proxy, to: [pod.address, 8080, "127.0.0.6"] }, "8080 from 127.0.0.6"],
    ["the proxy reaches its neighbours by loopback", { from: pod.namespace, as: proxy, to: ["127.0.0.1", 15020] }, "15020 from 127.0.0.1"],
  ])("%s", async (_, { from, as, to }, expected) => {
    expect((await init("--exclude-outbound-ports", "9001")).code).toBe(0);

    expect(await call(from, as, to)).toBe(expected);
  });

  it("reaches excluded networks directly", async () => {
    expect((await init("--exclude-outbound-cidrs", "10.99.8.0/24")).code).toBe(0);

    expect(await call(pod.namespace, application, [elsewhere, 9000])).toBe("9000 from 10.99.7.2");
    expect(await call(pod.namespace, application, [peer.address, 9000])).toBe("15001 from 10.99.7.2");
  });
});
