/**
 * A certificate request (PKCS#10, RFC 2986) without an X.509 library: the agent runs in every pod, and a library would
 * cost it 6 MB. The CA takes nothing from a request but the key and the proof of possession, so both subject and
 * attributes are empty.
 */
export interface RequestKey {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** ECDSA with SHA-256 over the bytes, as a DER ECDSA-Sig-Value. */
  sign(bytes: Uint8Array): Uint8Array;
}

/** AlgorithmIdentifier of ecdsa-with-SHA256, 1.2.840.10045.4.3.2 (RFC 5758 §3.2). */
const ecdsaWithSha256 = Uint8Array.of(0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02);
const tags = { integer: 0x02, bitString: 0x03, sequence: 0x30, attributes: 0xa0 } as const;

/** The request as DER. */
export function encodeRequest(key: RequestKey): Uint8Array {
  const version = element(tags.integer, Uint8Array.of(0));
  const subject = element(tags.sequence, new Uint8Array());
  const attributes = element(tags.attributes, new Uint8Array());
  const info = element(tags.sequence, join([version, subject, key.publicKey, attributes]));
  const unusedBits = Uint8Array.of(0);
  return element(tags.sequence, join([info, ecdsaWithSha256, element(tags.bitString, join([unusedBits, key.sign(info)]))]));
}

function element(tag: number, content: Uint8Array): Uint8Array {
  return join([Uint8Array.of(tag), length(content.length), content]);
}

/** Definite length: short below 128, else two octets, which is enough for any request. */
function length(size: number): Uint8Array {
  return size < 128 ? Uint8Array.of(size) : size < 256 ? Uint8Array.of(0x81, size) : Uint8Array.of(0x82, size >> 8, size & 0xff);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
