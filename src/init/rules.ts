/**
 * The traffic redirection of one pod as text for `iptables-restore --noflush`, table nat, IPv4.
 *
 *   from outside ─► PREROUTING ─► WEFT_INBOUND ──────────► WEFT_IN_REDIRECT ─► the proxy's inbound port
 *   from the pod ─► OUTPUT ─────► WEFT_OUTBOUND ─────────► WEFT_REDIRECT ────► the proxy's outbound port
 *                                 └ the proxy to its own pod ► WEFT_IN_REDIRECT
 *
 * Lines are written exactly as `iptables-save` prints them, so that rules in force are compared as text.
 */

/** Ports are 1 to 65535, ids are decimal, networks are `a.b.c.d/n` as the kernel keeps them (no host bits). */
export interface RedirectionOptions {
  readonly inboundPort: number;
  readonly outboundPort: number;
  readonly proxyUid: number;
  /** undefined = the proxy is known by its UID alone. */
  readonly proxyGid: number | undefined;
  readonly excludedInboundPorts: readonly number[];
  readonly excludedOutboundPorts: readonly number[];
  readonly excludedOutboundNetworks: readonly string[];
}

/** Every chain of ours; a change of the set must keep removing the old names. */
export const chains = {
  inbound: "WEFT_INBOUND",
  inRedirect: "WEFT_IN_REDIRECT",
  outbound: "WEFT_OUTBOUND",
  redirect: "WEFT_REDIRECT",
} as const;

/**
 * The source address of what the proxy sends to the application of its own pod (Envoy's inbound ORIGINAL_DST cluster
 * binds to it): such packets must not come back to the proxy.
 */
const inboundSource = "127.0.0.6/32";
const loopback = "127.0.0.0/8";

/** The wanted rules, one line each, in the order in which they stand in their chains. */
export function buildRules(options: RedirectionOptions): string[] {
  return [
    `-A PREROUTING -p tcp -j ${chains.inbound}`,
    `-A OUTPUT -p tcp -j ${chains.outbound}`,
    ...inboundRules(options),
    `-A ${chains.inRedirect} -p tcp -j REDIRECT --to-ports ${options.inboundPort}`,
    ...outboundRules(options),
    `-A ${chains.redirect} -p tcp -j REDIRECT --to-ports ${options.outboundPort}`,
  ];
}

/**
 * The whole input of `iptables-restore --noflush`: one transaction that replaces what stands in our chains and leaves
 * everything else alone. `current` is the output of `iptables-save -t nat`; jumps of ours in it are taken out first,
 * because built-in chains are appended to, never flushed.
 */
export function formatRestore(options: RedirectionOptions, current: string): string {
  const declared = Object.values(chains).map((chain) => `:${chain} - [0:0]`);
  const stale = rulesOf(current)
    .filter((line) => /^-A (PREROUTING|OUTPUT) /.test(line))
    .map((line) => line.replace(/^-A/, "-D"));
  return ["*nat", ...declared, ...stale, ...buildRules(options), "COMMIT", ""].join("\n");
}

/** Whether the rules of ours in the output of `iptables-save -t nat` are the wanted ones, in their order and once each. */
export function isInForce(options: RedirectionOptions, current: string): boolean {
  return byChain(rulesOf(current)) === byChain(buildRules(options));
}

function inboundRules(options: RedirectionOptions): string[] {
  return [
    `-A ${chains.inbound} -i lo -j RETURN`,
    ...unique(options.excludedInboundPorts).map((port) => `-A ${chains.inbound} -p tcp -m tcp --dport ${port} -j RETURN`),
    `-A ${chains.inbound} -p tcp -j ${chains.inRedirect}`,
  ];
}

/** First match wins; `-o lo` is also the way from the pod to its own address. */
function outboundRules(options: RedirectionOptions): string[] {
  const owners = [`--uid-owner ${options.proxyUid}`, ...(options.proxyGid === undefined ? [] : [`--gid-owner ${options.proxyGid}`])];
  const rules = [
    `-s ${inboundSource} -o lo -j RETURN`,
    // A pod that calls itself through its own Service: the proxy's outbound side calls its inbound side, as any other pod's would.
    ...owners.map((owner) => `! -d ${loopback} -o lo -p tcp -m owner ${owner} -j ${chains.inRedirect}`),
    ...owners.map((owner) => `-m owner ${owner} -j RETURN`),
    // The application calling its own pod, by 127.0.0.1 or by the pod's address, never leaves it.
    "-o lo -j RETURN",
    `-d ${loopback} -j RETURN`,
    ...unique(options.excludedOutboundPorts).map((port) => `-p tcp -m tcp --dport ${port} -j RETURN`),
    // The tool prints no condition for the network of all addresses.
    ...unique(options.excludedOutboundNetworks).map((network) => (network === "0.0.0.0/0" ? "-j RETURN" : `-d ${network} -j RETURN`)),
    `-j ${chains.redirect}`,
  ];
  return rules.map((rule) => `-A ${chains.outbound} ${rule}`);
}

/** The lines of a dump that stand in, or jump to, a chain of ours. */
function rulesOf(dump: string): string[] {
  const ours = new RegExp(`^-A (${Object.values(chains).join("|")}) |^-A .* -j (${Object.values(chains).join("|")})$`);
  return dump
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => ours.test(line));
}

/** One text that keeps the order inside each chain; that of the chains themselves differs between versions of the tool. */
function byChain(rules: readonly string[]): string {
  const names = [...new Set(rules.map(chainOf))].sort();
  return names.flatMap((name) => rules.filter((rule) => chainOf(rule) === name)).join("\n");
}

function chainOf(rule: string): string {
  return rule.split(" ", 2)[1] ?? "";
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
