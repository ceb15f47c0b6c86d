/** A value of a flag that cannot be used; the message says which one and what is wanted. */
export class InvalidValue extends Error {
  override readonly name = "InvalidValue";
}

/** How many entries one list may have: each is a rule that every new connection passes. */
const maxEntries = 64;
/** Ports that the injector adds to a pod's own: those of its sidecars, and of probes that are not rewritten. */
const maxAddedPorts = 512;

/** Everything, or the entries of a list. */
export type Included = "*" | readonly string[];

/** @throws InvalidValue unless `text` is a decimal port from 1 to 65535. */
export function parsePort(text: string): number {
  const port = wholeIn(text.trim(), 1, 65_535);
  if (port === undefined) throw new InvalidValue(`${quote(text)} is not a port. Give a number from 1 to 65535.`);
  return port;
}

/** UID or GID. @throws InvalidValue. */
export function parseId(text: string): number {
  const id = wholeIn(text, 0, maxId);
  if (id === undefined) throw new InvalidValue(`${quote(text)} is not a user or group id. Give a number from 0 to ${maxId}.`);
  return id;
}

/** One kind of list: what its entries are, and how one is written in a rule; undefined = it is none. */
interface EntryKind {
  readonly wanted: string;
  readonly most?: number;
  readonly read: (text: string) => string | undefined;
}

/** 2³²−1 means "no id" to the kernel. */
const maxId = 4_294_967_294;

const ports: EntryKind = { wanted: "ports from 1 to 65535, or ranges of them like 8000-8010", read: (text) => readRange(text, { min: 1, max: 65_535, separator: ":" }) };
const ids: EntryKind = { wanted: `user ids from 0 to ${maxId}, or ranges of them like 1000-1999`, read: (text) => readRange(text, { min: 0, max: maxId, separator: "-" }) };
const interfaces: EntryKind = { wanted: "names of network interfaces like net1, or how several begin, like net+; not lo", read: readInterface };

/** Comma-separated ports and ranges, as iptables prints them: `80`, `8000:8010`. Empty text is the empty list. @throws InvalidValue naming all bad ones. */
export function parsePorts(text: string): readonly string[] {
  return parseList(text, ports);
}

/** The same, with room for what the injector adds. @throws InvalidValue naming all bad ones. */
export function parseExcludedInboundPorts(text: string): readonly string[] {
  return parseList(text, { ...ports, most: maxEntries + maxAddedPorts });
}

/** The same, or `*`. @throws InvalidValue naming all bad ones. */
export function parsePortsOrAll(text: string): Included {
  return text.trim() === "*" ? "*" : parseList(text, { ...ports, wanted: `* or ${ports.wanted}` });
}

/** Comma-separated user ids and ranges: `101`, `1000-1999`. @throws InvalidValue naming all bad ones. */
export function parseIds(text: string): readonly string[] {
  return parseList(text, ids);
}

/** Comma-separated names; a last `+` stands for whatever follows, as in iptables. @throws InvalidValue naming all bad ones. */
export function parseInterfaces(text: string): readonly string[] {
  return parseList(text, interfaces);
}

/** Entries once each, in their order. @throws InvalidValue naming all bad ones, or when there are too many. */
export function parseList(text: string, { wanted, read, most = maxEntries }: EntryKind): readonly string[] {
  const items = text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
  if (items.length > most) throw new InvalidValue(`${items.length} entries are too many. Give at most ${most}; ranges and networks hold many in one.`);
  const entries = items.map((item) => ({ item, entry: read(item) }));
  const bad = entries.filter(({ entry }) => entry === undefined).map(({ item }) => quote(item));
  if (bad.length > 0) throw new InvalidValue(`${listed(bad)} cannot be used. Give ${wanted}, comma-separated.`);
  return [...new Set(entries.flatMap(({ entry }) => entry ?? []))];
}

/** A bad value is shown short and on one line, because the message becomes the pod's termination message. */
function quote(text: string): string {
  const shown = text.replaceAll(/[^\x20-\x7e]/g, "?");
  return `'${shown.length > 43 ? `${shown.slice(0, 40)}...` : shown}'`;
}

function listed(items: readonly string[]): string {
  return items.length > 8 ? `${items.slice(0, 8).join(", ")} and ${items.length - 8} more` : items.join(", ");
}

/** Decimal and without leading zeros, which some tools read as octal. */
function wholeIn(text: string, min: number, max: number): number | undefined {
  const number = /^(0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : -1;
  return number >= min && number <= max ? number : undefined;
}

interface RangeLimits {
  readonly min: number;
  readonly max: number;
  /** Between the ends, where iptables prints a range. */
  readonly separator: string;
}

function readRange(text: string, { min, max, separator }: RangeLimits): string | undefined {
  const ends = text.split("-").map((end) => wholeIn(end.trim(), min, max));
  const [first, last = first] = ends;
  if (ends.length > 2 || ends.includes(undefined) || first === undefined || last === undefined || first > last) return undefined;
  return first === last ? String(first) : `${first}${separator}${last}`;
}

/** Linux: at most 15 bytes. The loopback interface is how the proxy reaches its own pod; without it nothing works. */
function readInterface(text: string): string | undefined {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,14}\+?$/.test(text) || text.length > 15) return undefined;
  const isLoopback = text === "lo" || (text.endsWith("+") && "lo".startsWith(text.slice(0, -1)));
  return isLoopback ? undefined : text;
}
