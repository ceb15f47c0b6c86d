import { createPrivateKey, X509Certificate } from "node:crypto";
import { renewal } from "../../src/std/renewal.ts";
import { createServingCa, createServingLeaf, type KeyedCertificate, type ServingCertificateNames } from "./forge-certificates.ts";

export interface ServingState {
  readonly ca: KeyedCertificate;
  /** In the bundle already, signs nothing yet: the API server has to read it first. */
  readonly nextCa: KeyedCertificate | undefined;
  readonly leaf: KeyedCertificate;
  /** Every authority to trust, PEM: `ca`, `nextCa`, and former ones until they end. */
  readonly caBundle: string;
}

const day = 86_400_000;
const backdate = 3_600_000;
const caLifetime = 365 * day;
const leafLifetime = 30 * day;
/** From a new authority's entry in `caBundle` to its first signature. */
const distribution = day;

export async function createServingState(names: ServingCertificateNames, now: number): Promise<ServingState> {
  const ca = await newCa(now);
  return { ca, nextCa: undefined, leaf: await newLeaf(ca, names, now), caBundle: ca.certificate };
}

/** What is due at `now`; the same object = nothing. */
export async function rotateServing(state: ServingState, names: ServingCertificateNames, now: number): Promise<ServingState> {
  const current = dropExpired(await rotateCa(state, now), now);
  return isLeafGood(current, names, now) ? current : { ...current, leaf: await newLeaf(current.ca, names, now) };
}

async function rotateCa(state: ServingState, now: number): Promise<ServingState> {
  if (!isDue(state.ca, now)) return state;
  const next = state.nextCa ?? (await newCa(now));
  const isTrusted = now >= lifeOf(next).issuedAt + distribution || now >= lifeOf(state.ca).expiresAt;
  const caBundle = state.nextCa === undefined ? state.caBundle + next.certificate : state.caBundle;
  if (isTrusted) return { ...state, ca: next, nextCa: undefined, caBundle };
  return state.nextCa === undefined ? { ...state, nextCa: next, caBundle } : state;
}

function dropExpired(state: ServingState, now: number): ServingState {
  const live = certificatesOf(state.caBundle).filter((pem) => new X509Certificate(pem).validToDate.getTime() > now).join("");
  return live === state.caBundle ? state : { ...state, caBundle: live };
}

/** Ours, young enough, below the present authority, and for every name that we are called by. */
function isLeafGood(state: ServingState, names: ServingCertificateNames, now: number): boolean {
  const leaf = new X509Certificate(state.leaf.certificate);
  const isNamed = names.dnsNames.every((name) => leaf.checkHost(name) !== undefined) && names.ips.every((ip) => leaf.checkIP(ip) !== undefined);
  return isNamed && !isDue(state.leaf, now) && leaf.verify(new X509Certificate(state.ca.certificate).publicKey);
}

function isDue(certificate: KeyedCertificate, now: number): boolean {
  return renewal(lifeOf(certificate), now, 0.5).kind === "renew";
}

function lifeOf(certificate: KeyedCertificate) {
  const { validFromDate, validToDate } = new X509Certificate(certificate.certificate);
  return { issuedAt: validFromDate.getTime() + backdate, expiresAt: validToDate.getTime() };
}

function newCa(now: number): Promise<KeyedCertificate> {
  return createServingCa("weft webhook CA", { notBefore: now - backdate, notAfter: now + caLifetime });
}

function newLeaf(ca: KeyedCertificate, names: ServingCertificateNames, now: number): Promise<KeyedCertificate> {
  const notAfter = Math.min(now + leafLifetime, lifeOf(ca).expiresAt);
  return createServingLeaf(ca, names, { notBefore: now - backdate, notAfter });
}

/** As kept in a KeyStore; `tls.crt`, `tls.key` and `ca.crt` are the names of a kubernetes.io/tls Secret. */
export function formatServingState(state: ServingState): Record<string, string> {
  return {
    "ca.crt": state.ca.certificate,
    "ca.key": state.ca.key,
    ...(state.nextCa === undefined ? {} : { "next-ca.crt": state.nextCa.certificate, "next-ca.key": state.nextCa.key }),
    "ca-bundle.pem": state.caBundle,
    "tls.crt": state.leaf.certificate,
    "tls.key": state.leaf.key,
  };
}

/** Throws with a sentence that names the entry. */
export function parseServingState(values: Readonly<Record<string, string>>): ServingState {
  const ca = parsePair(values, "ca");
  const bundled = certificatesOf(values["ca-bundle.pem"] ?? "");
  for (const pem of bundled) parseCertificate("ca-bundle.pem", pem);
  return {
    ca,
    nextCa: values["next-ca.crt"] === undefined ? undefined : parsePair(values, "next-ca"),
    leaf: parsePair(values, "tls"),
    caBundle: [...new Set([...bundled, ca.certificate])].join(""),
  };
}

function parsePair(values: Readonly<Record<string, string>>, name: string): KeyedCertificate {
  const certificate = certificatesOf(values[`${name}.crt`] ?? "")[0] ?? "";
  const key = values[`${name}.key`] ?? "";
  const parsed = parseCertificate(`${name}.crt`, certificate);
  try {
    if (parsed.checkPrivateKey(createPrivateKey(key))) return { certificate, key };
  } catch (cause) {
    throw broken(`${name}.key`, "it is not a private key in PEM", cause);
  }
  throw broken(`${name}.key`, `it does not belong to ${name}.crt`);
}

function parseCertificate(entry: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw broken(entry, "it is not an X.509 certificate in PEM", cause);
  }
}

function certificatesOf(pem: string): string[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((block) => `${block.replaceAll("\r", "")}\n`);
}

function broken(entry: string, why: string, cause?: unknown): Error {
  return new Error(`The webhook's ${entry} cannot be used: ${why}. Restore it, or remove all of the webhook's keys: it makes new ones.`, { cause });
}
