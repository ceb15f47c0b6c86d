import "reflect-metadata";
import { Pkcs10CertificateRequest } from "@peculiar/x509";

/** A request's public key (SubjectPublicKeyInfo, DER), which its sender has proved to hold; or why it is refused. */
export type CsrResult = { readonly publicKey: Uint8Array } | { readonly problem: string };

/** Larger than any request with a key that we accept; the parser never sees more. */
export const maxCsrBytes = 16_384;

const requestBlock = /^\s*-----BEGIN CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE REQUEST-----\s*$/;
const hashes: readonly unknown[] = ["SHA-256", "SHA-384", "SHA-512"];

/**
 * Reads a PEM PKCS#10 request and verifies its signature. Keys: ECDSA on P-256, or RSA of 2048 to 8192 bits. Names and
 * extensions are not looked at: the CA derives what a certificate says from the caller's token.
 */
export async function readCsr(pem: string): Promise<CsrResult> {
  if (pem.length > maxCsrBytes) return { problem: `The request is larger than ${maxCsrBytes} bytes.` };
  if (!requestBlock.test(pem)) return { problem: "The request is not one PEM block CERTIFICATE REQUEST." };
  try {
    return await examine(new Pkcs10CertificateRequest(pem));
  } catch {
    // The parser throws on anything malformed, some of it only when a field is read; that is the sender's fault, not ours.
    return { problem: "The request is not valid PKCS#10 DER." };
  }
}

async function examine(request: Pkcs10CertificateRequest): Promise<CsrResult> {
  const problem = keyProblem(request) ?? signatureProblem(request);
  if (problem !== undefined) return { problem };
  return (await isSignedByItsKey(request))
    ? { publicKey: new Uint8Array(request.publicKey.rawData) }
    : { problem: "The request's signature does not match its public key." };
}

/** WebCrypto throws where the signature is no signature at all. */
async function isSignedByItsKey(request: Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify();
  } catch {
    return false;
  }
}

interface KeyAlgorithm {
  readonly name: string;
  readonly namedCurve?: unknown;
  readonly modulusLength?: unknown;
  readonly publicExponent?: unknown;
}

function keyProblem(request: Pkcs10CertificateRequest): string | undefined {
  const algorithm: KeyAlgorithm = request.publicKey.algorithm;
  if (algorithm.name === "ECDSA") return algorithm.namedCurve === "P-256" ? undefined : "The key is on another curve than P-256.";
  if (algorithm.name !== "RSASSA-PKCS1-v1_5") return "The key is neither ECDSA on P-256 nor RSA.";
  const bits = algorithm.modulusLength;
  if (typeof bits !== "number" || bits < 2048 || bits > 8192) return "The RSA key does not have 2048 to 8192 bits.";
  return isF4(algorithm.publicExponent) ? undefined : "The RSA key's public exponent is not 65537.";
}

/** 65537 is what every tool makes; a huge exponent would make each verification slow, for us and for every peer. */
function isF4(exponent: unknown): boolean {
  return exponent instanceof Uint8Array && [...exponent].join() === "1,0,1";
}

function signatureProblem(request: Pkcs10CertificateRequest): string | undefined {
  const algorithm: { readonly hash?: { readonly name: string } } = request.signatureAlgorithm;
  return hashes.includes(algorithm.hash?.name) ? undefined : "The request is signed with a hash weaker than SHA-256.";
}
