/** When a certificate was issued (not its backdated notBefore) and when it ends, in milliseconds since 1970. */
export interface CertificateTimes {
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export type Renewal = { readonly kind: "renew" } | { readonly kind: "wait"; readonly until: number };

/**
 * One rule for every certificate of weft: renewed at about two thirds of its life. `jitter` is a number of [0, 1) that
 * spreads many of one age over a tenth of the life, from 0.617 to 0.717.
 */
export function renewal(times: CertificateTimes, now: number, jitter: number): Renewal {
  const until = times.issuedAt + (times.expiresAt - times.issuedAt) * (2 / 3 + (jitter - 0.5) / 10);
  return now >= until ? { kind: "renew" } : { kind: "wait", until: Math.round(until) };
}
