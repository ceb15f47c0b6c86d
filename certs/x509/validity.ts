import type { Validity } from "./profiles.ts";

const hour = 3_600_000;

/** A leaf never lives longer, its backdating counted (DESIGN §6). */
export const maxLeafLifetime = 24 * hour;
/** Peers whose clock is behind by as much accept a fresh certificate. */
export const backdate = hour;

/** What is asked for a certificate: seconds to live from `now`, and the life of who signs it. */
export interface ValidityRequest {
  readonly now: number;
  readonly ttlSeconds: number;
  readonly signer: Validity;
}

/** A leaf's life: backdated, at most 24 h in all, never beyond its signer's. Whole seconds, as in the certificate. */
export function leafValidity(request: ValidityRequest): Validity {
  const notBefore = Math.max(request.now - backdate, request.signer.notBefore);
  const notAfter = Math.min(request.now + request.ttlSeconds * 1000, notBefore + maxLeafLifetime, request.signer.notAfter);
  return { notBefore: wholeSeconds(notBefore), notAfter: wholeSeconds(notAfter) };
}

/** A root's or an issuer's: backdated further than a leaf's, so that a leaf is never older than its issuer. */
export function authorityValidity(request: Omit<ValidityRequest, "signer"> & { readonly signer?: Validity }): Validity {
  const earliest = request.signer?.notBefore ?? Number.NEGATIVE_INFINITY;
  const latest = request.signer?.notAfter ?? Number.POSITIVE_INFINITY;
  return {
    notBefore: wholeSeconds(Math.max(request.now - 2 * backdate, earliest)),
    notAfter: wholeSeconds(Math.min(request.now + request.ttlSeconds * 1000, latest)),
  };
}

function wholeSeconds(time: number): number {
  return Math.floor(time / 1000) * 1000;
}
