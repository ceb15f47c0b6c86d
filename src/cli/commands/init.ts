import { Option } from "commander";
import { inboundSourceCommand } from "../../init/addresses.ts";
import { InvalidValue, parseExcludedInboundPorts, parseId, parseIds, parseInterfaces, parsePort, parsePorts, parsePortsOrAll } from "../../init/parse-lists.ts";
import { parseNetworks, parseNetworksOrAll } from "../../init/parse-networks.ts";
import { RedirectionError } from "../../init/redirection-error.ts";
import { buildRules, formatRestore, type RedirectionOptions } from "../../init/rules.ts";
import { familyChoices, startInit, type FamilyChoice, type RedirectionResult } from "../../init/start.ts";
import { ports, proxyUser } from "../../std/well-known.ts";
import { createProgram, exitCodes, Failure, parseArguments } from "../program.ts";

/** The flags as they are given; those of lists hold all their occurrences. */
interface Flags {
  readonly inboundPort: string;
  readonly outboundPort: string;
  readonly proxyUid: string;
  readonly proxyGid?: string;
  readonly includeInboundPorts: string;
  readonly excludeInboundPorts: string;
  readonly excludeInboundCidrs: string;
  readonly includeOutboundPorts: string;
  readonly excludeOutboundPorts: string;
  readonly includeOutboundCidrs: string;
  readonly excludeOutboundCidrs: string;
  readonly excludeUids: string;
  readonly excludeInterfaces: string;
  readonly ipFamilies: FamilyChoice;
  readonly dryRun: boolean;
}

/** Always reached directly: the kubelet's probes and Prometheus have no certificate of the mesh. */
const sidecarPorts = `${ports.agent},${ports.prometheus}`;

/** `weft init`: redirects the pod's traffic through its proxy, then ends. Run again, it changes nothing. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createInitProgram();
  const exit = parseArguments(program, args);
  if (exit !== undefined) return exit;
  const flags = program.opts<Flags>();
  const problems = findProblems(flags);
  if (problems.length > 0) {
    process.stderr.write(`weft init: ${problems.join("\n  ")}\n`);
    return exitCodes.usage;
  }
  const options = readOptions(flags);
  if (flags.dryRun) {
    process.stdout.write(formatDryRun(options, flags.ipFamilies));
    return exitCodes.done;
  }
  const results = await startInit(options, flags.ipFamilies).catch((error: unknown) => {
    throw error instanceof RedirectionError ? new Failure(error.message) : error;
  });
  for (const result of results) process.stderr.write(`weft init: ${describe(result)}\n`);
  return exitCodes.done;
}

function createInitProgram(): ReturnType<typeof createProgram> {
  return createProgram("init", "Redirect the TCP traffic of this network namespace through the proxy (iptables), then end.", "weft init --dry-run --exclude-outbound-ports 3306,5432")
    .option("--inbound-port <port>", "where the proxy takes what comes in", String(ports.inbound))
    .option("--outbound-port <port>", "where the proxy takes what goes out", String(ports.outbound))
    .option("--proxy-uid <uid>", "what this user sends is not redirected", String(proxyUser))
    .option("--proxy-gid <gid>", "what this group sends is not redirected either")
    .addOption(list("--include-inbound-ports <ports>", "only these go to the proxy", "*"))
    .addOption(list("--exclude-inbound-ports <ports>", `reach the application directly; ${sidecarPorts} always do`))
    .addOption(list("--exclude-inbound-cidrs <networks>", "clients there reach the application directly"))
    .addOption(list("--include-outbound-ports <ports>", "only these go to the proxy", "*"))
    .addOption(list("--exclude-outbound-ports <ports>", "leave the pod directly"))
    .addOption(list("--include-outbound-cidrs <networks>", "only what goes there goes to the proxy", "*"))
    .addOption(list("--exclude-outbound-cidrs <networks>", "are reached directly"))
    .addOption(list("--exclude-uids <uids>", "what these users send leaves the pod directly"))
    .addOption(list("--exclude-interfaces <names>", "are left alone in both directions"))
    .addOption(new Option("--ip-families <families>", "auto: IPv6 when the pod has an address that others can call").choices(familyChoices).default("auto"))
    .option("--dry-run", "print the rules of both families for iptables-restore --noflush, and change nothing", false)
    .addHelpText("after", "\nLists are comma-separated, may be given several times and hold 64 entries at most: ports 80,8000-8010; networks 10.0.0.0/8,fd00::/8.\nWhat is excluded is not included.");
}

/** Several occurrences add up: what the injector gives always and what a pod asks for. */
function list(flag: string, description: string, fallback = ""): Option {
  const given: string[] = [];
  return new Option(flag, description)
    .argParser((text: string) => {
      given.push(text);
      return given.join(",");
    })
    .default(fallback, fallback === "" ? "none" : fallback);
}

/** How each flag is read. */
const parsers = {
  inboundPort: parsePort,
  outboundPort: parsePort,
  proxyUid: parseId,
  proxyGid: parseId,
  includeInboundPorts: parsePortsOrAll,
  excludeInboundPorts: parseExcludedInboundPorts,
  excludeInboundCidrs: parseNetworks,
  includeOutboundPorts: parsePortsOrAll,
  excludeOutboundPorts: parsePorts,
  includeOutboundCidrs: parseNetworksOrAll,
  excludeOutboundCidrs: parseNetworks,
  excludeUids: parseIds,
  excludeInterfaces: parseInterfaces,
} as const;

/** All that is wrong, one line a flag. */
function findProblems(flags: Flags): string[] {
  return (Object.keys(parsers) as (keyof typeof parsers)[]).flatMap((name) => {
    try {
      parsers[name](flags[name] ?? "0");
      return [];
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error;
      return [`--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: ${error.message}`];
    }
  });
}

/** Of flags without problems. */
function readOptions(flags: Flags): RedirectionOptions {
  return {
    inboundPort: parsePort(flags.inboundPort),
    outboundPort: parsePort(flags.outboundPort),
    proxyUid: parseId(flags.proxyUid),
    proxyGid: flags.proxyGid === undefined ? undefined : parseId(flags.proxyGid),
    includedInboundPorts: parsePortsOrAll(flags.includeInboundPorts),
    excludedInboundPorts: withSidecars(parseExcludedInboundPorts(flags.excludeInboundPorts)),
    excludedInboundNetworks: parseNetworks(flags.excludeInboundCidrs),
    includedOutboundPorts: parsePortsOrAll(flags.includeOutboundPorts),
    excludedOutboundPorts: parsePorts(flags.excludeOutboundPorts),
    includedOutboundNetworks: parseNetworksOrAll(flags.includeOutboundCidrs),
    excludedOutboundNetworks: parseNetworks(flags.excludeOutboundCidrs),
    excludedUids: parseIds(flags.excludeUids),
    excludedInterfaces: parseInterfaces(flags.excludeInterfaces),
  };
}

function withSidecars(excluded: readonly string[]): readonly string[] {
  return [...new Set([...parsePorts(sidecarPorts), ...excluded])];
}

/** Which families a pod has is not known here, so `auto` prints both. */
function formatDryRun(options: RedirectionOptions, families: FamilyChoice): string {
  const ipv4 = `# IPv4: iptables-restore --noflush\n${formatRestore(buildRules(options, "ipv4"), "")}`;
  const ipv6 = `# IPv6: ip6tables-restore --noflush, after ${inboundSourceCommand.join(" ")}\n${formatRestore(buildRules(options, "ipv6"), "")}`;
  return `${families === "ipv6" ? "" : ipv4}${families === "ipv4" ? "" : ipv6}`;
}

function describe({ family, outcome, tool, because }: RedirectionResult): string {
  const name = family === "ipv4" ? "IPv4" : "IPv6";
  const by = `(${tool}: ${because})`;
  return outcome === "applied" ? `${name} traffic is redirected through the proxy ${by}.` : `${name}: these rules are in force already, nothing changed ${by}.`;
}
