import { Failure } from "./program.ts";

export interface Endpoint {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
}

/** `127.0.0.1:15010`, `[::1]:15010`. @throws Failure for anything else. */
export function parseEndpoint(text: string): Endpoint {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(digits) > 65535) throw new Failure(`'${text}' is no HOST:PORT. Give, say, 127.0.0.1:15010 or [::1]:0.`);
  return { host, port: Number(digits) };
}
