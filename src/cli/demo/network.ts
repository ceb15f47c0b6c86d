import { runProgram } from "./program.ts";

/** Addresses of the demo: 198.18.0.0/15 is reserved for tests (RFC 2544), so it meets nobody's network. */
export const demoNetwork = {
  bridge: "weft-demo",
  host: "198.18.77.1",
  pod: (index: number) => `198.18.77.${10 + index}`,
  service: (index: number) => `198.18.78.${10 + index}`,
} as const;

const prefix = "weft-demo-";

/** The network namespace of a pod of the demo. */
export function namespaceOf(pod: string): string {
  return `${prefix}${pod}`;
}

/** A bridge on this machine, on which each pod of the demo gets a network namespace. Needs root. */
export async function bridgeUp(ip: string): Promise<void> {
  await networkDown(ip);
  await runProgram(ip, ["link", "add", demoNetwork.bridge, "type", "bridge"]);
  await runProgram(ip, ["address", "add", `${demoNetwork.host}/24`, "dev", demoNetwork.bridge]);
  await runProgram(ip, ["link", "set", demoNetwork.bridge, "up"]);
}

/** One pod's network: a namespace with one link and a way to everything through the bridge. */
export async function podNetworkUp(ip: string, pod: string, index: number): Promise<void> {
  const namespace = namespaceOf(pod);
  const link = `weftd${index}`;
  await runProgram(ip, ["netns", "add", namespace]);
  await runProgram(ip, ["link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace]);
  await runProgram(ip, ["link", "set", link, "master", demoNetwork.bridge, "up"]);
  const inside = ["-n", namespace];
  await runProgram(ip, [...inside, "link", "set", "lo", "up"]);
  await runProgram(ip, [...inside, "address", "add", `${demoNetwork.pod(index)}/24`, "dev", "eth0"]);
  await runProgram(ip, [...inside, "link", "set", "eth0", "up"]);
  await runProgram(ip, [...inside, "route", "add", "default", "via", demoNetwork.host]);
}

/** Takes away what a demo made, this one or one that was cut off. */
export async function networkDown(ip: string): Promise<void> {
  const namespaces = (await runProgram(ip, ["netns", "list"])).split("\n").map((line) => line.split(" ")[0] ?? "");
  for (const namespace of namespaces.filter((name) => name.startsWith(prefix))) await runProgram(ip, ["netns", "delete", namespace]);
  const links = await runProgram(ip, ["-o", "link", "show", "type", "bridge"]);
  if (links.includes(` ${demoNetwork.bridge}:`)) await runProgram(ip, ["link", "delete", demoNetwork.bridge]);
}
