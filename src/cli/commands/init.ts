import { InvalidArgumentError } from "commander";
import { InvalidValue, parseId, parseNetworks, parsePort, parsePorts } from "../../init/parse-lists.ts";
import { formatRestore, type RedirectionOptions } from "../../init/rules.ts";
import { RedirectionError, startInit } from "../../init/start.ts";
import { ports, proxyUser } from "../../std/well-known.ts";
import { createProgram, exitCodes, Failure, parseArguments } from "../program.ts";

interface Flags {
  readonly inboundPort: number;
  readonly outboundPort: number;
  readonly proxyUid: number;
  readonly proxyGid?: number;
  readonly excludeInboundPorts: readonly number[];
  readonly excludeOutboundPorts: readonly number[];
  readonly excludeOutboundCidrs: readonly string[];
  readonly dryRun: boolean;
}

/** `weft init`: redirects the pod's traffic through its proxy, then ends. Run again, it changes nothing. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createInitProgram();
  const exit = parseArguments(program, args);
  if (exit !== undefined) return exit;
  const flags = program.opts<Flags>();
  const options = toOptions(flags);
  if (flags.dryRun) {
    process.stdout.write(formatRestore(options, ""));
    return exitCodes.done;
  }
  const { outcome } = await startInit(options).catch((error: unknown) => {
    throw error instanceof RedirectionError ? new Failure(error.message) : error;
  });
  process.stderr.write(outcome === "applied" ? "weft init: traffic is redirected through the proxy.\n" : "weft init: these rules are in force already, nothing changed.\n");
  return exitCodes.done;
}

function createInitProgram(): ReturnType<typeof createProgram> {
  return createProgram("init", "Redirect the TCP traffic of this network namespace through the proxy (IPv4, iptables), then end.", "weft init --dry-run --exclude-outbound-ports 3306")
    .option("--inbound-port <port>", "where the proxy takes what comes in", checked(parsePort), ports.inbound)
    .option("--outbound-port <port>", "where the proxy takes what goes out", checked(parsePort), ports.outbound)
    .option("--proxy-uid <uid>", "what this user sends is not redirected", checked(parseId), proxyUser)
    .option("--proxy-gid <gid>", "what this group sends is not redirected either", checked(parseId))
    .option("--exclude-inbound-ports <ports>", "comma-separated; reach the application directly", checked(parsePorts), [ports.agent, ports.prometheus])
    .option("--exclude-outbound-ports <ports>", "comma-separated; leave the pod directly", checked(parsePorts), [])
    .option("--exclude-outbound-cidrs <networks>", "comma-separated IPv4 networks; are reached directly", checked(parseNetworks), [])
    .option("--dry-run", "print the rules for iptables-restore --noflush, and change nothing", false);
}

function toOptions(flags: Flags): RedirectionOptions {
  return {
    inboundPort: flags.inboundPort,
    outboundPort: flags.outboundPort,
    proxyUid: flags.proxyUid,
    proxyGid: flags.proxyGid,
    excludedInboundPorts: flags.excludeInboundPorts,
    excludedOutboundPorts: flags.excludeOutboundPorts,
    excludedOutboundNetworks: flags.excludeOutboundCidrs,
  };
}

/** Makes commander name the flag in front of the message, and end with the code of wrong usage. */
function checked<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw error instanceof InvalidValue ? new InvalidArgumentError(error.message) : error;
    }
  };
}
