import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import "reflect-metadata";
import { Pkcs10CertificateRequestGenerator, type Extension } from "@peculiar/x509";
import { encodeRequest } from "../../../../certs/x509/csr-der.ts";
import { formatPem } from "../../../../certs/x509/pem.ts";

export interface EcKey {
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

export function createEcKey(curve = "P-256"): EcKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve });
  return { privateKey, publicKey: new Uint8Array(publicKey.export({ type: "spki", format: "der" })) };
}

/** The agent's own way to make a request. */
export function requestOf(key: EcKey): string {
  const der = encodeRequest({ publicKey: key.publicKey, sign: (bytes) => new Uint8Array(sign("sha256", bytes, key.privateKey)) });
  return formatPem("CERTIFICATE REQUEST", Buffer.from(der).toString("base64"));
}

export interface ForeignRequest {
  readonly algorithm: RsaHashedKeyGenParams | EcKeyGenParams;
  readonly name?: string;
  readonly extensions?: Extension[];
}
interface RsaHashedKeyGenParams {
  readonly name: "RSASSA-PKCS1-v1_5";
  readonly modulusLength: number;
  readonly publicExponent: Uint8Array;
  readonly hash: string;
}
interface EcKeyGenParams {
  readonly name: "ECDSA";
  readonly namedCurve: string;
  readonly hash?: string;
}

export function rsa(modulusLength: number, hash = "SHA-256"): RsaHashedKeyGenParams {
  return { name: "RSASSA-PKCS1-v1_5", modulusLength, publicExponent: Uint8Array.of(1, 0, 1), hash };
}

/** A request made by another library, with whatever it likes to ask for. */
export async function foreignRequest(request: ForeignRequest): Promise<string> {
  const keys = await crypto.subtle.generateKey(request.algorithm, true, ["sign", "verify"]);
  const made = await Pkcs10CertificateRequestGenerator.create({
    name: request.name ?? "CN=anybody",
    keys,
    signingAlgorithm: request.algorithm.name === "ECDSA" ? { name: "ECDSA", hash: request.algorithm.hash ?? "SHA-256" } : request.algorithm,
    extensions: request.extensions ?? [],
  });
  return made.toString("pem");
}
