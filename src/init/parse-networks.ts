import { isIPv4, isIPv6, SocketAddress } from "node:net";
import { parseList, type Included } from "./parse-lists.ts";

const networks = { wanted: "IPv4 or IPv6 networks or addresses like 10.0.0.0/8, fd00::/8", read: readNetwork };

/**
 * Comma-separated networks or addresses of both families, as the kernel keeps them and iptables prints them: `10.1.2.3/8`
 * becomes `10.0.0.0/8`, `FD00::0:1` becomes `fd00::1/128`. @throws InvalidValue naming all bad ones.
 */
export function parseNetworks(text: string): readonly string[] {
  return parseList(text, networks);
}

/** The same, or `*`. @throws InvalidValue naming all bad ones. */
export function parseNetworksOrAll(text: string): Included {
  return text.trim() === "*" ? "*" : parseList(text, { ...networks, wanted: `* or ${networks.wanted}` });
}

function readNetwork(text: string): string | undefined {
  const [address = "", suffix, ...rest] = text.split("/");
  // `%` names an interface, which a rule cannot.
  if (rest.length > 0 || address.includes("%")) return undefined;
  if (isIPv4(address)) return formatNetwork(bytesOfIpv4(address), suffix);
  return isIPv6(address) ? formatNetwork(bytesOfIpv6(address), suffix) : undefined;
}

/** The bits behind the prefix are host bits, which the kernel clears. */
function formatNetwork(bytes: readonly number[], suffix: string | undefined): string | undefined {
  const longest = bytes.length * 8;
  const length = suffix === undefined ? longest : /^(0|[1-9][0-9]{0,2})$/.test(suffix) ? Number(suffix) : -1;
  if (length < 0 || length > longest) return undefined;
  const masked = bytes.map((byte, index) => byte & (0xff << Math.max(0, 8 - Math.max(0, length - index * 8))) & 0xff);
  return `${formatAddress(masked)}/${length}`;
}

function formatAddress(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = wordsOf(bytes).map((word) => word.toString(16));
  return new SocketAddress({ family: "ipv6", address: groups.join(":") }).address;
}

function wordsOf(bytes: readonly number[]): number[] {
  return bytes.flatMap((byte, index) => (index % 2 === 0 ? [byte * 256 + (bytes[index + 1] ?? 0)] : []));
}

function bytesOfIpv4(address: string): number[] {
  return address.split(".").map(Number);
}

/** RFC 4291 §2.2: one run of zeros as `::`, the last two groups perhaps as IPv4. `address` is valid. */
function bytesOfIpv6(address: string): number[] {
  const [head = [], tail] = address.split("::").map(bytesOfGroups);
  return tail === undefined ? head : [...head, ...Array.from({ length: 16 - head.length - tail.length }, () => 0), ...tail];
}

function bytesOfGroups(text: string): number[] {
  const groups = text === "" ? [] : text.split(":");
  return groups.flatMap((group) => (group.includes(".") ? bytesOfIpv4(group) : [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}
