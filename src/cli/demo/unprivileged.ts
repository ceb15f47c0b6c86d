import { spawn } from "node:child_process";
import { findTool } from "../../runtime/tools.ts";
import { Failure } from "../program.ts";

const inside = "WEFT_DEMO_INSIDE";

/** True when the demo may make network namespaces here: as root, or inside a user namespace of its own. */
export function mayMakeNetworks(): boolean {
  return process.getuid?.() === 0;
}

/**
 * Without root: runs the same command again in a user namespace, where it is root over a network and mounts of its own
 * (`unshare --map-auto` takes the user's range of /etc/subuid, so that the sidecars still have a user of their own).
 * Answers its exit code. @throws Failure that says what is missing.
 */
export async function runInUserNamespace(args: readonly string[]): Promise<number> {
  if (process.env[inside] !== undefined) throw new Failure("the user namespace of the demo has no root: this kernel does not allow it. Run it as root.");
  const [script] = process.argv.slice(1);
  const tools = { WEFT_IP: await findTool("ip"), WEFT_IPTABLES: await findTool("iptables"), WEFT_ENVOY: await findTool("envoy") };
  const commands = ["set -e", "mount -t tmpfs tmpfs /run", `'${tools.WEFT_IP}' link set lo up`, 'exec "$@"'].join("\n");
  const flags = ["--user", "--map-root-user", "--map-auto", "--net", "--mount", "--fork", "--kill-child=SIGTERM"];
  const child = spawn("unshare", [...flags, "sh", "-c", commands, "demo", process.execPath, script ?? "", "demo", ...args], {
    env: { ...process.env, ...tools, [inside]: "1" },
    stdio: "inherit",
  });
  process.on("SIGINT", () => undefined);
  const code = await new Promise<number | null>((resolve) => child.once("error", () => resolve(null)).once("exit", resolve));
  if (code === null || code === 125) {
    throw new Failure("the demo needs root, or a user namespace: unshare of util-linux ≥ 2.38, newuidmap (Debian: uidmap) and a line for you in /etc/subuid and /etc/subgid. Or: sudo make demo");
  }
  return code;
}
