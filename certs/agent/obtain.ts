import { generateKeyPairSync, sign, X509Certificate, type KeyObject } from "node:crypto";
import type { CertificateRequest, IssuedCertificate } from "../../src/api/certificates.ts";
import { encodeRequest } from "../x509/csr-der.ts";
import { formatPem, parseBundle } from "../x509/pem.ts";
import { CaError, type CaClient } from "./ca-client.ts";
import type { CertificateFiles } from "./certificate-files.ts";

export interface Obtained {
  readonly files: CertificateFiles;
  readonly identity: string;
  /** DNS names it carries, sorted. */
  readonly dnsNames: readonly string[];
  /** Milliseconds since 1970 by our own clock, whatever the CA's says. */
  readonly expiresAt: number;
  readonly renewAt: number;
}

/**
 * Makes a key, has it certified, and checks what comes back before anybody uses it: the leaf must be of this key and
 * chain to the bundle that came with it. The key has never left this process until then. Rejects otherwise.
 */
export async function obtainCertificate(ca: CaClient, signal: AbortSignal): Promise<Obtained> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const request: CertificateRequest = { csr: csrOf(privateKey, publicKey) };
  const answer = await ca.call({ method: "POST", path: "/v1/certificates", body: JSON.stringify(request), timeoutSeconds: 15, signal });
  const issued = parseIssued(answer.body);
  const leaf = checkedLeaf(issued, privateKey);
  const names = (leaf.subjectAltName ?? "").split(", ");
  // Only durations are taken from the CA: the pod's clock may be an hour off.
  const skew = Date.now() - answer.serverTime;
  return {
    files: { certificateChain: issued.certificateChain, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), trustBundle: issued.trustBundle },
    identity: names.find((name) => name.startsWith("URI:"))?.slice(4) ?? "",
    dnsNames: names.filter((name) => name.startsWith("DNS:")).map((name) => name.slice(4)).sort(),
    expiresAt: Date.parse(issued.expiresAt) + skew,
    renewAt: Math.max(Date.parse(issued.renewAt) + skew, Date.now() + 1000),
  };
}

function csrOf(privateKey: KeyObject, publicKey: KeyObject): string {
  const spki = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
  const der = encodeRequest({ publicKey: spki, sign: (bytes) => new Uint8Array(sign("sha256", bytes, privateKey)) });
  return formatPem("CERTIFICATE REQUEST", Buffer.from(der).toString("base64"));
}

function checkedLeaf(issued: IssuedCertificate, key: KeyObject): X509Certificate {
  const [leaf, ...issuers] = certificatesOf(issued.certificateChain, "certificate chain");
  const roots = certificatesOf(issued.trustBundle, "trust bundle");
  if (leaf === undefined || !leaf.checkPrivateKey(key)) throw new CaError("The CA's certificate is not for our key.");
  let last = leaf;
  for (const issuer of issuers) {
    if (!isIssuedBy(last, issuer)) throw new CaError("The CA's certificate chain does not hold together.");
    last = issuer;
  }
  if (!roots.some((root) => isIssuedBy(last, root))) throw new CaError("The CA's certificate does not chain to its trust bundle.");
  return leaf;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function certificatesOf(pem: string, what: string): X509Certificate[] {
  const bundle = parseBundle(pem);
  if ("problem" in bundle) throw new CaError(`The CA's ${what} cannot be used: ${bundle.problem}`);
  try {
    return bundle.certificates.map((certificate) => new X509Certificate(certificate));
  } catch {
    throw new CaError(`The CA's ${what} holds something that is no certificate.`);
  }
}

/** By hand: the schema library would cost every pod 12 MB. */
function parseIssued(body: string): IssuedCertificate {
  const value = parseObject(body);
  const { certificateChain, trustBundle, expiresAt, renewAt } = value;
  if (typeof certificateChain !== "string" || typeof trustBundle !== "string" || !isTime(expiresAt) || !isTime(renewAt)) {
    throw new CaError("The CA's answer is no issued certificate.");
  }
  return { certificateChain, trustBundle, expiresAt, renewAt };
}

/** A JSON object; rejects with what the log can use. */
export function parseObject(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below: what is no JSON is no object either.
  }
  throw new CaError("The CA's answer is no JSON object.");
}

function isTime(value: unknown): value is string {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}
