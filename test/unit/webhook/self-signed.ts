import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Rotating } from "../../../src/std/rotating.ts";
import type { WebhookIdentity } from "../../../webhook/start.ts";

/** A certificate for 127.0.0.1 that is its own CA. */
export async function selfSigned(name: string, expires = new Date(Date.now() + 3_600_000)): Promise<WebhookIdentity> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - 7_200_000),
    notAfter: expires,
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true),
      new x509.SubjectAlternativeNameExtension([
        { type: "ip", value: "127.0.0.1" },
        { type: "dns", value: "localhost" },
      ]),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`;
  const pem = certificate.toString("pem");
  return { key, certificateChain: pem, caBundle: pem, expires };
}

/** A serving PKI whose certificate the test changes by hand. */
export function manualCertificates(first: WebhookIdentity): Rotating<WebhookIdentity> & { rotate(next: WebhookIdentity): void } {
  const listeners = new Set<() => void>();
  let current = first;
  return {
    current: () => current,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    rotate(next) {
      current = next;
      for (const listener of listeners) listener();
    },
  };
}
