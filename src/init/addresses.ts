/** The IPv6 addresses of this network namespace. */
import { readFile } from "node:fs/promises";
import { advise, RedirectionError } from "./redirection-error.ts";
import { execute } from "./tools.ts";

/**
 * What the proxy's inbound side calls the application from, over IPv6. 127.0.0.6 needs no such step, because all of
 * 127.0.0.0/8 is the loopback interface's. Deprecated, so that nothing else is ever sent from it.
 */
export const inboundSourceCommand: readonly string[] = ["ip", "-6", "address", "add", "::6/128", "dev", "lo", "nodad", "preferred_lft", "0"];

/** One line of /proc/net/if_inet6. */
interface InterfaceAddress {
  /** 32 hexadecimal digits. */
  readonly address: string;
  readonly scope: string;
  readonly name: string;
}

/** Whether the pod can be called by IPv6: a global or unique local address (fc00::/7) on an interface of its own. */
export async function hasIpv6(): Promise<boolean> {
  const addresses = await readAddresses();
  return addresses.some(isReachable);
}

/** Adds the inbound source once. @throws RedirectionError when it cannot be. */
export async function ensureInboundSource(): Promise<void> {
  const addresses = await readAddresses();
  if (addresses.some(({ address, name }) => name === "lo" && address === inboundSourceDigits)) return;
  const [program = "", ...args] = inboundSourceCommand;
  const result = await execute({ program, args, input: "" });
  if (result === undefined) throw new RedirectionError("ip is not in PATH. Install iproute2 (Debian: the package iproute2), use weft's own image, which has it, or give --ip-families ipv4 to leave IPv6 alone.");
  if (result.code !== 0 && !/File exists/.test(result.errors)) throw new RedirectionError(`${inboundSourceCommand.join(" ")} failed: ${result.errors.trim().replace(/\.$/, "")}. ${explain(result.errors)}`);
}

const inboundSourceDigits = "6".padStart(32, "0");

/** The kernel's word for an address of global scope, which unique local ones have as well. */
function isReachable({ scope, name }: InterfaceAddress): boolean {
  return scope === "00" && name !== "lo";
}

/** The file is missing where the kernel has no IPv6 at all. */
async function readAddresses(): Promise<readonly InterfaceAddress[]> {
  const text = await readFile("/proc/self/net/if_inet6", "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  });
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => line.trim().split(/\s+/)).map(([address = "", , , scope = "", , name = ""]) => ({ address, scope, name }));
}

/** Older kernels say "Permission denied" when IPv6 is switched off; of the privilege they say "Operation not permitted". */
function explain(errors: string): string {
  if (/disabled on this device|permission denied|not supported|cannot find device/i.test(errors)) {
    return "IPv6 is switched off here: switch it on for the pod (sysctl net.ipv6.conf.all.disable_ipv6=0), or give --ip-families ipv4.";
  }
  return advise(errors);
}
