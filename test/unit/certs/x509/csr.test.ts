import { createPublicKey } from "node:crypto";
import "reflect-metadata";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, SubjectAlternativeNameExtension } from "@peculiar/x509";
import { readCsr } from "../../../../certs/x509/csr.ts";
import { createEcKey, foreignRequest, requestOf, rsa } from "./requests.ts";

describe("certificate requests", () => {
  it("gives the public key of the agent's request", async () => {
    const key = createEcKey();

    const result = await readCsr(requestOf(key));

    expect(result).toEqual({ publicKey: key.publicKey });
  });

  it("accepts RSA of 2048 bits", async () => {
    const result = await readCsr(await foreignRequest({ algorithm: rsa(2048) }));

    if ("problem" in result) throw new Error(result.problem);
    expect(createPublicKey({ key: Buffer.from(result.publicKey), format: "der", type: "spki" }).asymmetricKeyDetails?.modulusLength).toBe(2048);
  });

  it("gives the key alone of a request that asks for names, CA:TRUE and keyCertSign", async () => {
    const extensions = [
      new BasicConstraintsExtension(true, 5, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      new SubjectAlternativeNameExtension([{ type: "url", value: "spiffe://weft.local/ns/other/sa/admin" }, { type: "dns", value: "*" }, { type: "ip", value: "10.0.0.1" }]),
    ];

    const result = await readCsr(await foreignRequest({ algorithm: { name: "ECDSA", namedCurve: "P-256" }, name: "CN=system:admin", extensions }));

    expect(Object.keys(result)).toEqual(["publicKey"]);
  });

  it.each([
    ["RSA of 1024 bits", rsa(1024), "The RSA key does not have 2048 to 8192 bits."],
    ["SHA-1", rsa(2048, "SHA-1"), "The request is signed with a hash weaker than SHA-256."],
    ["RSA with exponent 3", { ...rsa(2048), publicExponent: Uint8Array.of(3) }, "The RSA key's public exponent is not 65537."],
    ["P-384", { name: "ECDSA" as const, namedCurve: "P-384" }, "The key is on another curve than P-256."],
  ])("refuses %s", async (_what, algorithm, problem) => {
    expect(await readCsr(await foreignRequest({ algorithm }))).toEqual({ problem });
  });

  it("refuses a request signed by another key", async () => {
    const [mine, theirs] = [createEcKey(), createEcKey()];

    const result = await readCsr(requestOf({ publicKey: theirs.publicKey, privateKey: mine.privateKey }));

    expect(result).toEqual({ problem: "The request's signature does not match its public key." });
  });

  it.each([
    ["10 MB", "A".repeat(10_000_000), "The request is larger than 16384 bytes."],
    ["nothing", "", "The request is not one PEM block CERTIFICATE REQUEST."],
    ["a certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "The request is not one PEM block CERTIFICATE REQUEST."],
    ["malformed DER", "-----BEGIN CERTIFICATE REQUEST-----\nMIIBAAAA\n-----END CERTIFICATE REQUEST-----\n", "The request is not valid PKCS#10 DER."],
    ["nested DER", `-----BEGIN CERTIFICATE REQUEST-----\n${"MIAw".repeat(4000)}\n-----END CERTIFICATE REQUEST-----\n`, "The request is not valid PKCS#10 DER."],
  ])("refuses %s", async (_what, pem, problem) => {
    expect(await readCsr(pem)).toEqual({ problem });
  });

  it("refuses two requests in one text", async () => {
    const one = requestOf(createEcKey());

    expect(await readCsr(one + one)).toEqual({ problem: "The request is not one PEM block CERTIFICATE REQUEST." });
  });

  it("never throws, and never gives another key for a request with one byte changed", async () => {
    const key = createEcKey();
    const der = Buffer.from(requestOf(key).replace(/-----[^-]+-----|\s/g, ""), "base64");

    await fc.assert(
      fc.asyncProperty(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(der);
        changed[at] = (changed[at] ?? 0) ^ change;
        const result = await readCsr(`-----BEGIN CERTIFICATE REQUEST-----\n${changed.toString("base64")}\n-----END CERTIFICATE REQUEST-----`);
        expect("problem" in result || Buffer.from(result.publicKey).equals(key.publicKey)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});
