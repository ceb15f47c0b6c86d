import { randomBytes, webcrypto } from "node:crypto";
import type { CertificateFiles } from "../../certs/agent/certificate-files.ts";
import { formatPem } from "../../certs/x509/pem.ts";
import { createIssuer, createRoot, createWorkloadLeaf } from "../../certs/x509/profiles.ts";

export interface TestAuthority {
  issue(identity: string): Promise<CertificateFiles>;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256" };

/** Root and issuer of our own profiles, valid for an hour. */
export async function createTestAuthority(): Promise<TestAuthority> {
  const now = Date.now();
  const validity = { notBefore: now - 60_000, notAfter: now + 3_600_000 };
  const [root, issuer] = [await createKey(), await createKey()];
  const rootCertificate = await createRoot({ serial: serial(), validity, publicKey: root.publicKey, commonName: "test root" }, root.privateKey);
  const issuerCertificate = await createIssuer(
    { serial: serial(), validity, publicKey: issuer.publicKey, commonName: "test issuer" },
    { certificate: rootCertificate, key: root.privateKey },
  );
  return {
    async issue(identity) {
      const leaf = await createKey();
      const subject = { serial: serial(), validity, publicKey: leaf.publicKey, identity, dnsNames: [] };
      const certificate = await createWorkloadLeaf(subject, { certificate: issuerCertificate, key: issuer.privateKey });
      const key = formatPem("PRIVATE KEY", Buffer.from(await webcrypto.subtle.exportKey("pkcs8", leaf.privateKey)).toString("base64"));
      return { certificateChain: certificate + issuerCertificate, key, trustBundle: rootCertificate };
    },
  };
}

async function createKey() {
  const { privateKey, publicKey } = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  return { privateKey, publicKey: new Uint8Array(await webcrypto.subtle.exportKey("spki", publicKey)) };
}

/** A positive number of 127 bits. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}
