import { createPrivateKey, X509Certificate } from "node:crypto";
import { renewal } from "../../src/std/renewal.ts";
import { parseBundle, formatBundle } from "../x509/pem.ts";
import { createIssuer, createRoot, type SigningKey, type Validity } from "../x509/profiles.ts";
import { authorityValidity } from "../x509/validity.ts";
import { createKeyPair, createSerial, publicKeyOf, signingKeyOf } from "./signing-key.ts";

/** A certificate of the authority with its key; without one it can verify, not sign. */
export interface Member {
  /** PEM. */
  readonly certificate: string;
  readonly validity: Validity;
  readonly key: { readonly pem: string; readonly signing: SigningKey } | undefined;
}

export interface AuthorityState {
  /** Signs issuers. Its key may be kept offline; issuers are then made by its owner. */
  readonly root: Member;
  readonly issuer: Member;
  /** Trusted already, signs nothing yet: the bundle has to reach every proxy first. */
  readonly nextRoot: Member | undefined;
  /** Every root to trust, PEM, oldest first: `root`, `nextRoot`, former ones until they end, and what an operator added. */
  readonly roots: readonly string[];
}

export interface AuthorityClock {
  readonly trustDomain: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const day = 86_400;
const rootLifetime = 3650 * day;
const issuerLifetime = 365 * day;
/** From a new root's entry in the bundle to its first signature; leaves, and with them every pod's bundle, live a day at most. */
const distribution = 7 * day * 1000;

export async function createState(clock: AuthorityClock): Promise<AuthorityState> {
  const root = await createRootMember(clock);
  return { root, issuer: await createIssuerMember(root, clock), nextRoot: undefined, roots: [root.certificate] };
}

/** What is due now: a new issuer past two thirds of the old one's life, a new root in two steps. The same object = nothing. */
export async function rotate(state: AuthorityState, clock: AuthorityClock): Promise<AuthorityState> {
  const rooted = await rotateRoot(state, clock);
  const live = dropExpired(rooted, clock.now);
  if (!isDue(live.issuer, clock.now) || live.root.key === undefined) return live;
  return { ...live, issuer: await createIssuerMember(live.root, clock) };
}

async function rotateRoot(state: AuthorityState, clock: AuthorityClock): Promise<AuthorityState> {
  const next = state.nextRoot;
  if (next !== undefined) {
    // Once the old root has ended nobody trusts what it signed, and there is nothing left to wait for.
    if (clock.now < Math.min(next.validity.notBefore + distribution, state.root.validity.notAfter)) return state;
    return { ...state, root: next, nextRoot: undefined, issuer: await createIssuerMember(next, clock) };
  }
  if (!isDue(state.root, clock.now) || state.root.key === undefined) return state;
  const nextRoot = await createRootMember(clock);
  return { ...state, nextRoot, roots: [...state.roots, nextRoot.certificate] };
}

function dropExpired(state: AuthorityState, now: number): AuthorityState {
  const roots = state.roots.filter((root) => new X509Certificate(root).validToDate.getTime() > now);
  return roots.length === state.roots.length ? state : { ...state, roots };
}

function isDue(member: Member, now: number): boolean {
  return renewal({ issuedAt: member.validity.notBefore, expiresAt: member.validity.notAfter }, now, 0.5).kind === "renew";
}

async function createRootMember(clock: AuthorityClock): Promise<Member> {
  const keys = createKeyPair();
  const validity = authorityValidity({ now: clock.now, ttlSeconds: rootLifetime });
  const signing = signingKeyOf(keys.privateKey);
  const subject = { serial: createSerial(), commonName: `weft root ${clock.trustDomain}`, validity, publicKey: keys.publicKey };
  return { certificate: await createRoot(subject, signing), validity, key: { pem: keys.privateKey, signing } };
}

async function createIssuerMember(root: Member, clock: AuthorityClock): Promise<Member> {
  if (root.key === undefined) throw new Error("The authority's root key is not here; make the issuer where it is kept, and store issuer.crt and issuer.key.");
  const keys = createKeyPair();
  const validity = authorityValidity({ now: clock.now, ttlSeconds: issuerLifetime, signer: root.validity });
  const subject = { serial: createSerial(), commonName: `weft issuer ${clock.trustDomain}`, validity, publicKey: publicKeyOf(keys.privateKey) };
  const certificate = await createIssuer(subject, { certificate: root.certificate, key: root.key.signing });
  return { certificate, validity, key: { pem: keys.privateKey, signing: signingKeyOf(keys.privateKey) } };
}

/** As kept in a KeyStore. */
export function formatState(state: AuthorityState): Record<string, string> {
  return {
    ...formatMember("root", state.root),
    ...formatMember("issuer", state.issuer),
    ...(state.nextRoot === undefined ? {} : formatMember("next-root", state.nextRoot)),
    "trust-bundle.pem": formatBundle(state.roots),
  };
}

/** Throws with a sentence that names the entry: nothing is made anew over key material that is there but broken. */
export function parseState(values: Readonly<Record<string, string>>): AuthorityState {
  const root = parseMember(values, "root");
  const issuer = parseMember(values, "issuer");
  const nextRoot = values["next-root.crt"] === undefined ? undefined : parseMember(values, "next-root");
  if (issuer.key === undefined) throw broken("issuer.key", "it is missing");
  const isIssued = new X509Certificate(issuer.certificate).verify(new X509Certificate(root.certificate).publicKey);
  if (!isIssued) throw broken("issuer.crt", "it is not signed by root.crt");
  const bundle = parseBundle(values["trust-bundle.pem"] ?? root.certificate);
  if ("problem" in bundle) throw broken("trust-bundle.pem", bundle.problem);
  for (const certificate of bundle.certificates) parseCertificate("trust-bundle.pem", certificate);
  return { root, issuer, nextRoot, roots: [...new Set([...bundle.certificates, root.certificate])] };
}

function formatMember(name: string, member: Member): Record<string, string> {
  return { [`${name}.crt`]: member.certificate, ...(member.key === undefined ? {} : { [`${name}.key`]: member.key.pem }) };
}

function parseMember(values: Readonly<Record<string, string>>, name: string): Member {
  const bundle = parseBundle(values[`${name}.crt`] ?? "");
  if ("problem" in bundle) throw broken(`${name}.crt`, bundle.problem);
  const certificate = bundle.certificates[0] ?? "";
  const parsed = parseCertificate(`${name}.crt`, certificate);
  if (!parsed.ca) throw broken(`${name}.crt`, "it is not the certificate of an authority");
  const validity = { notBefore: parsed.validFromDate.getTime(), notAfter: parsed.validToDate.getTime() };
  const pem = values[`${name}.key`];
  if (pem === undefined) return { certificate, validity, key: undefined };
  try {
    const signing = signingKeyOf(pem);
    if (parsed.checkPrivateKey(createPrivateKey(pem))) return { certificate, validity, key: { pem, signing } };
  } catch (cause) {
    throw broken(`${name}.key`, "it is not an ECDSA P-256 private key in PEM", cause);
  }
  throw broken(`${name}.key`, `it does not belong to ${name}.crt`);
}

function parseCertificate(entry: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw broken(entry, "it is not an X.509 certificate", cause);
  }
}

function broken(entry: string, why: string, cause?: unknown): Error {
  return new Error(`The authority's ${entry} cannot be used: ${why}. Restore it from a backup, or remove the whole store for a new root (running proxies then need new certificates).`, { cause });
}
