/** Real certificates for tests of proxies and of their link to the controller, as the CA issues them. */
import { randomBytes } from "node:crypto";
import type { TlsIdentity } from "../../src/std/rotating.ts";
import { createIssuer, createRoot, createServingLeaf, createWorkloadLeaf, type Signer } from "../../certs/x509/profiles.ts";

export interface TestAuthority {
  /** PEM. */
  readonly root: string;
  workload(identity: string): Promise<TlsIdentity>;
  serving(dnsNames: readonly string[]): Promise<TlsIdentity>;
}

export async function createTestAuthority(): Promise<TestAuthority> {
  const rootKeys = await newKeys();
  const root = await createRoot({ ...(await subject(rootKeys)), commonName: "test root" }, rootKeys.privateKey);
  const issuerKeys = await newKeys();
  const issuerCertificate = await createIssuer({ ...(await subject(issuerKeys)), commonName: "test issuer" }, { certificate: root, key: rootKeys.privateKey });
  const issuer: Signer = { certificate: issuerCertificate, key: issuerKeys.privateKey };

  async function leaf(make: (base: Awaited<ReturnType<typeof subject>>) => Promise<string>): Promise<TlsIdentity> {
    const keys = await newKeys();
    return { certificateChain: (await make(await subject(keys))) + issuerCertificate, key: await keyPem(keys) };
  }

  return {
    root,
    workload: (identity) => leaf((base) => createWorkloadLeaf({ ...base, identity, dnsNames: [] }, issuer)),
    serving: (dnsNames) => leaf((base) => createServingLeaf({ ...base, dnsNames, ips: ["127.0.0.1"] }, issuer)),
  };
}

type KeyPair = Awaited<ReturnType<typeof newKeys>>;

/** An ECDSA P-256 pair. */
export function newKeys() {
  return crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
}

async function subject(keys: KeyPair) {
  const now = Date.now();
  return {
    serial: randomBytes(16).toString("hex"),
    validity: { notBefore: now - 60_000, notAfter: now + 3_600_000 },
    publicKey: new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey)),
  };
}

/** Its private key, PKCS#8 PEM. */
export async function keyPem(keys: KeyPair): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${(der.match(/.{1,64}/g) ?? []).join("\n")}\n-----END PRIVATE KEY-----\n`;
}
