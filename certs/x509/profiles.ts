import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  type Extension,
  type JsonGeneralName,
} from "@peculiar/x509";
import { formatPem } from "./pem.ts";

/** WebCrypto's CryptoKey, an ECDSA P-256 private key that may sign. */
export type SigningKey = InstanceType<typeof globalThis.CryptoKey>;

/** Milliseconds since 1970; X.509 keeps whole seconds. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Who signs: its certificate (PEM) and its key. */
export interface Signer {
  readonly certificate: string;
  readonly key: SigningKey;
}

interface Subject {
  /** 128 random bits, hexadecimal. */
  readonly serial: string;
  readonly validity: Validity;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

/** Who may be told apart by nothing but the URI, which is the identity; DNS names are sorted by the caller. */
export interface WorkloadSubject extends Subject {
  readonly identity: string;
  readonly dnsNames: readonly string[];
}

export interface ServingSubject extends Subject {
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
}

export interface AuthoritySubject extends Subject {
  readonly commonName: string;
}

/** A self-signed root, as PEM; `key` belongs to the subject's public key. */
export async function createRoot(subject: AuthoritySubject, key: SigningKey): Promise<string> {
  const name = new Name([{ CN: [subject.commonName] }]).toString();
  return sign(subject, { subject: name, issuer: name, key, extensions: await authorityExtensions(subject.publicKey) });
}

/** An issuer below a root: it may sign leaves and no further authority (path length 0). PEM. */
export async function createIssuer(subject: AuthoritySubject, root: Signer): Promise<string> {
  const extensions = [...(await authorityExtensions(subject.publicKey, 0)), await signedBy(root)];
  return sign(subject, { subject: new Name([{ CN: [subject.commonName] }]).toString(), issuer: subjectOf(root), key: root.key, extensions });
}

/**
 * A workload's leaf (DESIGN §6), as PEM: CA:FALSE, digitalSignature, serverAuth and clientAuth, exactly one URI name. The
 * subject is empty and the names therefore critical (RFC 5280 §4.2.1.6): whoever looks at a common name finds none.
 */
export async function createWorkloadLeaf(subject: WorkloadSubject, issuer: Signer): Promise<string> {
  const names: JsonGeneralName[] = [{ type: "url", value: subject.identity }, ...subject.dnsNames.map(dnsName)];
  const usages = [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth];
  return createLeaf(subject, issuer, [new ExtendedKeyUsageExtension(usages), new SubjectAlternativeNameExtension(names, true)]);
}

/** A leaf of an endpoint of the control plane, as PEM: serverAuth only, no URI, so that it is nobody's identity. */
export async function createServingLeaf(subject: ServingSubject, issuer: Signer): Promise<string> {
  const names: JsonGeneralName[] = [...subject.dnsNames.map(dnsName), ...subject.ips.map((value): JsonGeneralName => ({ type: "ip", value }))];
  return createLeaf(subject, issuer, [new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]), new SubjectAlternativeNameExtension(names, true)]);
}

async function createLeaf(subject: Subject, issuer: Signer, own: readonly Extension[]): Promise<string> {
  const extensions = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    ...own,
    await SubjectKeyIdentifierExtension.create(new PublicKey(subject.publicKey)),
    await signedBy(issuer),
  ];
  return sign(subject, { subject: "", issuer: subjectOf(issuer), key: issuer.key, extensions });
}

async function authorityExtensions(publicKey: Uint8Array, pathLength?: number): Promise<Extension[]> {
  return [
    new BasicConstraintsExtension(true, pathLength, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    await SubjectKeyIdentifierExtension.create(new PublicKey(publicKey)),
  ];
}

async function signedBy(signer: Signer): Promise<Extension> {
  return AuthorityKeyIdentifierExtension.create(new X509Certificate(signer.certificate).publicKey);
}

function subjectOf(signer: Signer): string {
  return new X509Certificate(signer.certificate).subject;
}

function dnsName(value: string): JsonGeneralName {
  return { type: "dns", value };
}

interface Signing {
  readonly subject: string;
  readonly issuer: string;
  readonly key: SigningKey;
  readonly extensions: Extension[];
}

async function sign(subject: Subject, signing: Signing): Promise<string> {
  const certificate = await X509CertificateGenerator.create({
    serialNumber: subject.serial,
    subject: signing.subject,
    issuer: signing.issuer,
    notBefore: dateOf(subject.validity.notBefore),
    notAfter: dateOf(subject.validity.notAfter),
    publicKey: new PublicKey(subject.publicKey),
    signingKey: signing.key,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: signing.extensions,
  });
  return formatPem("CERTIFICATE", certificate.toString("base64"));
}

/** The library wants a Date; the time in it was passed in. */
function dateOf(time: number): Date {
  // oxlint-disable-next-line no-restricted-globals -- no clock is read
  return new Date(time);
}
