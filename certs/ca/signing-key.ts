import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";
import type { SigningKey } from "../x509/profiles.ts";

/** A P-256 key pair of the authority or of one of its endpoints; `privateKey` is a secret. */
export interface KeyPair {
  /** PKCS#8 PEM. */
  readonly privateKey: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

export function createKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), publicKey: spki(publicKey) };
}

/** Throws when the PEM is no ECDSA P-256 private key. */
export function signingKeyOf(pem: string): SigningKey {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new Error("the key is not ECDSA on P-256");
  return key.toCryptoKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
}

export function publicKeyOf(pem: string): Uint8Array {
  return spki(createPublicKey(pem));
}

/** 128 random bits, hexadecimal. */
export function createSerial(): string {
  return randomBytes(16).toString("hex");
}

function spki(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: "spki", format: "der" }));
}
