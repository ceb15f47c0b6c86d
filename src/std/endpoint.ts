/** Where a server listens, or is reached. */
export interface Endpoint {
  readonly host: string;
  /** To listen on: 0 = any free one. */
  readonly port: number;
}

/** `127.0.0.1:15010`, `[::1]:15010`, `weft-controller.weft-system.svc:15010`; undefined for anything else. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  return host === undefined || Number(digits) > 65_535 ? undefined : { host, port: Number(digits) };
}

/** The inverse of {@link parseEndpoint}, also the authority of a URL (RFC 3986 §3.2.2). */
export function formatEndpoint({ host, port }: Endpoint): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
