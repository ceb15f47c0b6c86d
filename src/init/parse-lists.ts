/** A value of a flag that cannot be used; the message says which one and what is wanted. */
export class InvalidValue extends Error {
  override readonly name = "InvalidValue";
}

/** @throws InvalidValue unless `text` is a decimal port from 1 to 65535. */
export function parsePort(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text.trim()) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new InvalidValue(`'${text}' is not a port. Give a number from 1 to 65535.`);
  return port;
}

/** UID or GID. @throws InvalidValue. */
export function parseId(text: string): number {
  const id = /^[0-9]{1,10}$/.test(text) ? Number(text) : -1;
  // 2³²−1 means "no id" to the kernel.
  if (id < 0 || id >= 0xff_ff_ff_ff) throw new InvalidValue(`'${text}' is not a user or group id. Give a number from 0 to 4294967294.`);
  return id;
}

/** Comma-separated ports; empty text is the empty list. @throws InvalidValue. */
export function parsePorts(text: string): number[] {
  return items(text).map(parsePort);
}

/** Comma-separated IPv4 networks or addresses, as the kernel keeps them: `10.1.2.3/8` becomes `10.0.0.0/8`. @throws InvalidValue. */
export function parseNetworks(text: string): string[] {
  return items(text).map(parseNetwork);
}

function parseNetwork(text: string): string {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text);
  const octets = (match?.slice(1, 5) ?? []).map(Number);
  const length = Number(match?.[5] ?? 32);
  if (match === null || octets.some((octet) => octet > 255) || length > 32) {
    throw new InvalidValue(`'${text}' is not an IPv4 network. Give one like 10.0.0.0/8, or an address.`);
  }
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const size = 2 ** (32 - length);
  const network = address - (address % size);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join(".")}/${length}`;
}

function items(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
