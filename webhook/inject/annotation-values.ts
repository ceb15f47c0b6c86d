/**
 * The types of annotation values. Each reads a text strictly and gives a typed value, or what the text must be: nothing of
 * a value is ever taken over as it is into a place where it could mean something else.
 */
import { amountPatterns, type AmountKind } from "../../src/api/resource-amount.ts";
import { isIpAddress } from "../../src/std/ip-address.ts";
import { asRecord } from "./opaque.ts";

/** How a value is read. `must` completes "weft.mesh/x must be …". */
export interface ValueType<T> {
  readonly must: string;
  /** Longer texts are refused before anything looks at them. */
  readonly maxLength: number;
  /** undefined = the text is none of this type. */
  readonly read: (text: string) => T | undefined;
}

/** An environment variable of the proxy, as a container declares it. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
}

/** `weft init` takes 64; the other half is left to ports of the sidecars and of probes that are not rewritten. */
const maxItems = 32;
const maxVariables = 64;
const maxPort = 65_535;
const maxId = 4_294_967_294;

export const ports = listType("ports from 1 to 65535 or ranges like 8000-8010", (item) => isRange(item, 1, maxPort));
export const portsOrAll = orAll(ports);
export const networks = listType("IPv4 or IPv6 networks or addresses", isNetwork);
export const networksOrAll = orAll(networks);
export const userIds = listType("user ids from 0 to 4294967294 or ranges like 1000-1999", (item) => isRange(item, 0, maxId));
export const interfaces = listType("names of network interfaces other than lo", isInterface);

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[]): ValueType<T> {
  return { must: words.join(" or "), maxLength: 32, read: (text) => words.find((word) => word === text) };
}

export const onOff: ValueType<boolean> = { must: "on or off", maxLength: 3, read: (text) => (text === "on" ? true : text === "off" ? false : undefined) };

export function whole(min: number, max: number): ValueType<number> {
  return { must: `a whole number from ${min} to ${max}`, maxLength: 10, read: (text) => (isWhole(text, min, max) ? Number(text) : undefined) };
}

export function amount(kind: AmountKind): ValueType<string> {
  const pattern = new RegExp(amountPatterns[kind]);
  const like = kind === "cpu" ? "100m or 0.5" : "64Mi or 1Gi";
  return { must: `an amount of ${kind} like ${like}`, maxLength: 24, read: (text) => (pattern.test(text) ? text : undefined) };
}

/** HOST[:PORT]/PATH[:TAG][@DIGEST], after the grammar of the distribution project's references. */
const imagePattern =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
export const image: ValueType<string> = {
  must: "an image like registry.example/weft/weft:1.2.3",
  maxLength: 512,
  read: (text) => (imagePattern.test(text) ? text : undefined),
};

export const environment: ValueType<readonly EnvironmentVariable[]> = {
  must: "a JSON object of at most 64 texts by names like NAME_1, none of which begins with WEFT_",
  maxLength: 8192,
  read: readEnvironment,
};

function listType(what: string, test: (item: string) => boolean): ValueType<readonly string[]> {
  return {
    must: `${what}, comma-separated, at most ${maxItems}`,
    maxLength: 4096,
    read(text) {
      const items = text.split(",").map(trimSpaces);
      return items.length <= maxItems && items.every(test) ? items : undefined;
    },
  };
}

function orAll(type: ValueType<readonly string[]>): ValueType<readonly string[]> {
  return { must: `* or ${type.must}`, maxLength: type.maxLength, read: (text) => (trimSpaces(text) === "*" ? ["*"] : type.read(text)) };
}

function trimSpaces(text: string): string {
  return text.replaceAll(/^ +| +$/g, "");
}

/** Decimal and without leading zeros, which some tools read as octal. */
function isWhole(text: string, min: number, max: number): boolean {
  return /^(0|[1-9][0-9]{0,9})$/.test(text) && Number(text) >= min && Number(text) <= max;
}

function isRange(text: string, min: number, max: number): boolean {
  const [first = "", last = first, ...rest] = text.split("-");
  return rest.length === 0 && isWhole(first, min, max) && isWhole(last, Number(first), max);
}

/** Linux: at most 15 characters. A last `+` stands for whatever follows, as in iptables. Over `lo` the proxy reaches its own pod. */
function isInterface(text: string): boolean {
  const isLoopback = text === "lo" || (text.endsWith("+") && "lo".startsWith(text.slice(0, -1)));
  return !isLoopback && text.length <= 15 && /^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,14}\+?$/.test(text);
}

function isNetwork(text: string): boolean {
  const [address = "", length, ...rest] = text.split("/");
  const longest = address.includes(":") ? 128 : 32;
  return rest.length === 0 && isIpAddress(address) && (length === undefined || isWhole(length, 0, longest));
}

function readEnvironment(text: string): readonly EnvironmentVariable[] | undefined {
  const entries = Object.entries(parseRecord(text) ?? { "": "" });
  const good = entries.length <= maxVariables && entries.every(([name, value]) => isVariableName(name) && isPlainText(value));
  return good ? entries.map(([name, value]) => ({ name, value: String(value) })) : undefined;
}

/** Names of ours carry the identity of the pod; none of the user's may stand in for one. */
function isVariableName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name) && !/^WEFT_/i.test(name);
}

/** Texts that a process can be given: no NUL, and whole characters only. */
function isPlainText(value: unknown): boolean {
  return typeof value === "string" && !value.includes("\u0000") && !/\p{Surrogate}/u.test(value);
}

function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asRecord(JSON.parse(text));
  } catch {
    return undefined;
  }
}
