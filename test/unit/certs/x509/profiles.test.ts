import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createIssuer, createRoot, createServingLeaf, createWorkloadLeaf, type Signer, type SigningKey } from "../../../../certs/x509/profiles.ts";
import { createEcKey, type EcKey } from "./requests.ts";

const start = Date.parse("2026-11-21T12:00:00Z");
const day = 86_400_000;
const identity = "spiffe://weft.local/ns/bookstore/sa/web";

function signingKey(key: EcKey): SigningKey {
  return key.privateKey.toCryptoKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
}

async function createChain() {
  const [rootKey, issuerKey, leafKey] = [createEcKey(), createEcKey(), createEcKey()];
  const validity = { notBefore: start, notAfter: start + 365 * day };
  const root = await createRoot({ serial: "0a".repeat(16), commonName: "weft root, of a=b", validity, publicKey: rootKey.publicKey }, signingKey(rootKey));
  const issuer: Signer = {
    certificate: await createIssuer({ serial: "0b".repeat(16), commonName: "weft issuer", validity, publicKey: issuerKey.publicKey }, { certificate: root, key: signingKey(rootKey) }),
    key: signingKey(issuerKey),
  };
  const subject = { serial: `f${"0c".repeat(15)}1`, validity: { notBefore: start, notAfter: start + day }, publicKey: leafKey.publicKey };
  return { root, issuer, subject, leafKey };
}

describe("certificate profiles", () => {
  it("makes a workload's leaf as the design says, field by field", async () => {
    const { root, issuer, subject, leafKey } = await createChain();

    const leaf = new X509Certificate(await createWorkloadLeaf({ ...subject, identity, dnsNames: ["api.example.com", "web.bookstore.svc"] }, issuer));

    expect(leaf.subject).toBeUndefined();
    expect(leaf.issuer).toBe("CN=weft issuer");
    expect(leaf.subjectAltName).toBe("URI:spiffe://weft.local/ns/bookstore/sa/web, DNS:api.example.com, DNS:web.bookstore.svc");
    expect(leaf.serialNumber).toBe("F0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C1");
    expect(leaf.validFromDate.toISOString()).toBe("2026-11-21T12:00:00.000Z");
    expect(leaf.validToDate.toISOString()).toBe("2026-11-22T12:00:00.000Z");
    expect(leaf.ca).toBe(false);
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(leaf.checkPrivateKey(leafKey.privateKey)).toBe(true);
    expect(leaf.checkIssued(new X509Certificate(issuer.certificate))).toBe(true);
    expect(leaf.verify(new X509Certificate(issuer.certificate).publicKey)).toBe(true);
    expect(new X509Certificate(issuer.certificate).verify(new X509Certificate(root).publicKey)).toBe(true);
    expect(new X509Certificate(root).ca).toBe(true);
  });

  it("makes a serving leaf that is nobody's identity", async () => {
    const { issuer, subject } = await createChain();

    const leaf = new X509Certificate(await createServingLeaf({ ...subject, dnsNames: ["weft-controller.weft-system.svc"], ips: ["127.0.0.1", "::1"] }, issuer));

    expect(leaf.subjectAltName).toBe("DNS:weft-controller.weft-system.svc, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(leaf.ca).toBe(false);
  });

  it.skipIf(spawnSync("openssl", ["version"]).status !== 0)("is read by OpenSSL as it was meant, and verifies", async () => {
    const { root, issuer, subject } = await createChain();
    const directory = mkdtempSync(join(tmpdir(), "weft-openssl-"));
    writeFileSync(join(directory, "root.pem"), root);
    writeFileSync(join(directory, "issuer.pem"), issuer.certificate);
    writeFileSync(join(directory, "leaf.pem"), await createWorkloadLeaf({ ...subject, identity, dnsNames: [] }, issuer));
    function openssl(...args: string[]) {
      return spawnSync("openssl", args, { cwd: directory, encoding: "utf8" });
    }

    const leaf = openssl("x509", "-in", "leaf.pem", "-noout", "-text").stdout;
    const issuerText = openssl("x509", "-in", "issuer.pem", "-noout", "-text").stdout;
    const verified = openssl("verify", "-x509_strict", "-attime", String(start / 1000 + 60), "-CAfile", "root.pem", "-untrusted", "issuer.pem", "leaf.pem");
    rmSync(directory, { recursive: true });

    expect(leaf).toContain("Version: 3 (0x2)");
    expect(leaf).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE\n/);
    expect(leaf).toMatch(/X509v3 Key Usage: critical\s+Digital Signature\n/);
    expect(leaf).toMatch(/X509v3 Extended Key Usage:\s+TLS Web Server Authentication, TLS Web Client Authentication\n/);
    expect(leaf).toMatch(/X509v3 Subject Alternative Name: critical\s+URI:spiffe:\/\/weft\.local\/ns\/bookstore\/sa\/web\n/);
    expect(leaf.match(/X509v3 [A-Z]/g)).toHaveLength(6);
    expect(issuerText).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/);
    expect(issuerText).toMatch(/X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    expect(verified.stdout + verified.stderr).toBe("leaf.pem: OK\n");
  });
});
