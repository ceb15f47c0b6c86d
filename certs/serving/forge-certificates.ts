import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import forge from "node-forge";

/** All PEM; `key` (PKCS#8) is a secret. */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** What a serving certificate is for, and when it holds: milliseconds since 1970. */
export interface ServingCertificateNames {
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
}

interface Life {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A self-signed authority of its own: nothing but the webhook's serving certificate is signed by it. */
export async function createServingCa(commonName: string, life: Life): Promise<KeyedCertificate> {
  const key = await createRsaKey();
  const certificate = prepare(key, life);
  const name = [{ name: "commonName", value: commonName }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: "basicConstraints", cA: true, pathLenConstraint: 0, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    { name: "subjectKeyIdentifier" },
  ]);
  return sign(certificate, key, key);
}

/** A server's certificate below it. RSA, because that is what node-forge can sign. */
export async function createServingLeaf(ca: KeyedCertificate, names: ServingCertificateNames, life: Life): Promise<KeyedCertificate> {
  const key = await createRsaKey();
  const certificate = prepare(key, life);
  const issuer = forge.pki.certificateFromPem(ca.certificate);
  certificate.setSubject([{ name: "commonName", value: "weft webhook" }]);
  certificate.setIssuer(issuer.subject.attributes);
  certificate.setExtensions([
    { name: "basicConstraints", cA: false, critical: true },
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
    { name: "extKeyUsage", serverAuth: true },
    { name: "subjectAltName", altNames: [...names.dnsNames.map((value) => ({ type: 2, value })), ...names.ips.map((ip) => ({ type: 7, ip }))] },
    { name: "subjectKeyIdentifier" },
    { name: "authorityKeyIdentifier", keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() },
  ]);
  return sign(certificate, key, ca.key);
}

/** By Node, off the main thread: forge would block it for tens of milliseconds. */
async function createRsaKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function prepare(key: string, life: Life): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  const { n, e } = forge.pki.privateKeyFromPem(key);
  certificate.publicKey = forge.pki.setRsaPublicKey(n, e);
  // A first digit below 8 keeps the DER integer positive.
  certificate.serialNumber = `1${randomBytes(16).toString("hex").slice(1)}`;
  certificate.validity.notBefore = new Date(life.notBefore);
  certificate.validity.notAfter = new Date(life.notAfter);
  return certificate;
}

function sign(certificate: forge.pki.Certificate, key: string, signer: string): KeyedCertificate {
  certificate.sign(forge.pki.privateKeyFromPem(signer), forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(certificate).replaceAll("\r\n", "\n"), key };
}
