/**
 * The traffic redirection of one pod as text for `iptables-restore --noflush` or `ip6tables-restore --noflush`, table nat.
 *
 *   from outside ─► PREROUTING ─► WEFT_INBOUND ──────────► WEFT_IN_REDIRECT ─► the proxy's inbound port
 *   from the pod ─► OUTPUT ─────► WEFT_OUTBOUND ─────────► WEFT_REDIRECT ────► the proxy's outbound port
 *                                 └ the proxy to its own pod ► WEFT_INBOUND
 *
 * Lines are written exactly as `iptables-save` prints them, so that rules in force are compared as text.
 */

export type Family = "ipv4" | "ipv6";

/** `*` = everything. Otherwise ports are `80` or `8000:8010`, ids `101` or `1000-1999`, networks `10.0.0.0/8` or `fd00::/8` without host bits. */
export interface RedirectionOptions {
  readonly inboundPort: number;
  readonly outboundPort: number;
  readonly proxyUid: number;
  /** undefined = the proxy is known by its UID alone. */
  readonly proxyGid: number | undefined;
  readonly includedInboundPorts: "*" | readonly string[];
  readonly excludedInboundPorts: readonly string[];
  readonly excludedInboundNetworks: readonly string[];
  readonly includedOutboundPorts: "*" | readonly string[];
  readonly excludedOutboundPorts: readonly string[];
  readonly includedOutboundNetworks: "*" | readonly string[];
  readonly excludedOutboundNetworks: readonly string[];
  readonly excludedUids: readonly string[];
  readonly excludedInterfaces: readonly string[];
}

/** Every chain of ours; a change of the set must keep removing the old names. */
export const chains = {
  inbound: "WEFT_INBOUND",
  inRedirect: "WEFT_IN_REDIRECT",
  outbound: "WEFT_OUTBOUND",
  redirect: "WEFT_REDIRECT",
} as const;

/** Where our jumps stand. */
const hooks = "PREROUTING|OUTPUT";

interface FamilyConstants {
  /**
   * The source address of what the proxy sends to the application of its own pod (Envoy's inbound ORIGINAL_DST cluster
   * binds to it): such packets must not come back to the proxy.
   */
  readonly inboundSource: string;
  readonly loopback: string;
  /** Networks that the proxy cannot call in the application's place. */
  readonly unreachable: readonly string[];
  /** The network of all addresses, for which the tool prints no condition. */
  readonly all: string;
}

const constants: Readonly<Record<Family, FamilyConstants>> = {
  ipv4: { inboundSource: "127.0.0.6/32", loopback: "127.0.0.0/8", unreachable: [], all: "0.0.0.0/0" },
  // A link-local address means something together with its interface only, which the redirection loses.
  ipv6: { inboundSource: "::6/128", loopback: "::1/128", unreachable: ["fe80::/10"], all: "::/0" },
};

/** The wanted rules of one family, one line each, in the order in which they stand in their chains. */
export function buildRules(options: RedirectionOptions, family: Family): string[] {
  return [
    `-A PREROUTING -p tcp -j ${chains.inbound}`,
    `-A OUTPUT -p tcp -j ${chains.outbound}`,
    ...inboundRules(options, family),
    ...onPorts(options.includedInboundPorts).map((ports) => `-A ${chains.inRedirect} ${ports} -j REDIRECT --to-ports ${options.inboundPort}`),
    ...outboundRules(options, family),
    ...onPorts(options.includedOutboundPorts).map((ports) => `-A ${chains.redirect} ${ports} -j REDIRECT --to-ports ${options.outboundPort}`),
  ];
}

/**
 * The whole input of `iptables-restore --noflush`: one transaction that replaces what stands in our chains and leaves
 * everything else alone. `current` is the output of `iptables-save -t nat`; jumps of ours in it are taken out first,
 * because built-in chains are appended to, never flushed. No `wanted` rules = ours are taken out.
 */
export function formatRestore(wanted: readonly string[], current: string): string {
  const declared = Object.values(chains).map((chain) => `:${chain} - [0:0]`);
  const stale = rulesOf(current)
    .filter((line) => !standsInOurs.test(line))
    .map((line) => line.replace(/^-A/, "-D"));
  return ["*nat", ...declared, ...stale, ...wanted, "COMMIT", ""].join("\n");
}

/** Whether the rules of ours in the output of `iptables-save -t nat` are the wanted ones, in their order and once each. */
export function isInForce(wanted: readonly string[], current: string): boolean {
  return byChain(rulesOf(current)) === byChain(wanted);
}

/** Whether the output of `iptables-save -t nat` has rules of ours. */
export function hasOurs(current: string): boolean {
  return rulesOf(current).length > 0;
}

/** First match wins; exclusion before inclusion. */
function inboundRules(options: RedirectionOptions, family: Family): string[] {
  const rules = [
    "-i lo -j RETURN",
    ...options.excludedInterfaces.map((name) => `-i ${name} -j RETURN`),
    ...within(options.excludedInboundNetworks, family, "-s").map((network) => `${network}-j RETURN`),
    ...onPorts(options.excludedInboundPorts).map((ports) => `${ports} -j RETURN`),
    `-p tcp -j ${chains.inRedirect}`,
  ];
  return rules.map((rule) => `-A ${chains.inbound} ${rule}`);
}

/** First match wins; `-o lo` is also the way from the pod to its own address. */
function outboundRules(options: RedirectionOptions, family: Family): string[] {
  const { inboundSource, loopback, unreachable, all } = constants[family];
  const owners = [`--uid-owner ${options.proxyUid}`, ...(options.proxyGid === undefined ? [] : [`--gid-owner ${options.proxyGid}`])];
  const included = options.includedOutboundNetworks === "*" ? [all] : options.includedOutboundNetworks;
  const rules = [
    `-s ${inboundSource} -o lo -j RETURN`,
    // A pod that calls itself through its own Service: the proxy's outbound side calls the pod as any other pod's would.
    ...owners.map((owner) => `! -d ${loopback} -o lo -p tcp -m owner ${owner} -j ${chains.inbound}`),
    ...owners.map((owner) => `-m owner ${owner} -j RETURN`),
    // The application calling its own pod, by loopback or by the pod's address, never leaves it.
    "-o lo -j RETURN",
    ...[loopback, ...unreachable].map((network) => `-d ${network} -j RETURN`),
    ...options.excludedUids.map((uids) => `-m owner --uid-owner ${uids} -j RETURN`),
    ...options.excludedInterfaces.map((name) => `-o ${name} -j RETURN`),
    ...onPorts(options.excludedOutboundPorts).map((ports) => `${ports} -j RETURN`),
    ...within(options.excludedOutboundNetworks, family, "-d").map((network) => `${network}-j RETURN`),
    ...within(included, family, "-d").map((network) => `${network}-j ${chains.redirect}`),
  ];
  return rules.map((rule) => `-A ${chains.outbound} ${rule}`);
}

function onPorts(ports: "*" | readonly string[]): string[] {
  return ports === "*" ? ["-p tcp"] : ports.map((port) => `-p tcp -m tcp --dport ${port}`);
}

/** The conditions for the networks of this family, each with a blank behind it. */
function within(networks: readonly string[], family: Family, condition: "-s" | "-d"): string[] {
  const ofFamily = networks.filter((network) => network.includes(":") === (family === "ipv6"));
  return ofFamily.map((network) => (network === constants[family].all ? "" : `${condition} ${network} `));
}

const ourChain = `(${Object.values(chains).join("|")})`;
const standsInOurs = new RegExp(`^-A ${ourChain} `);
const jumpsToOurs = new RegExp(`^-A (${hooks}) .*-[jg] ${ourChain}$`);

/** The lines of a dump that stand in a chain of ours, or jump to one from a built-in chain; other people's chains are theirs. */
function rulesOf(dump: string): string[] {
  return dump
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => standsInOurs.test(line) || jumpsToOurs.test(line));
}

/** One text that keeps the order inside each chain; that of the chains themselves differs between versions of the tool. */
function byChain(rules: readonly string[]): string {
  const names = [...new Set(rules.map(chainOf))].sort();
  return names.flatMap((name) => rules.filter((rule) => chainOf(rule) === name)).join("\n");
}

function chainOf(rule: string): string {
  return rule.split(" ", 2)[1] ?? "";
}
