/** PEM (RFC 7468) of certificates: bundles that people and ConfigMaps bring are not always tidy. */

export type Bundle = { readonly certificates: readonly string[] } | { readonly problem: string };

const certificateBlock = /-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g;

/**
 * The certificates of a bundle, each once, in order, as tidy PEM. A byte order mark, comments, other blocks and odd line
 * ends between and inside them are tolerated, as OpenSSL does; a block that is no base64, and a bundle without any, is a
 * problem. Whether the DER inside is a certificate is for the caller's X.509 parser.
 */
export function parseBundle(text: string): Bundle {
  const found = new Set<string>();
  for (const [, body = ""] of text.matchAll(certificateBlock)) {
    const base64 = body.replace(/\s+/g, "");
    if (!isBase64(base64)) return { problem: `Certificate ${found.size + 1} of the bundle is not base64; export it again as PEM.` };
    found.add(formatPem("CERTIFICATE", base64));
  }
  const begins = text.split("-----BEGIN CERTIFICATE-----").length - 1;
  const ends = text.split("-----END CERTIFICATE-----").length - 1;
  if (begins !== ends) return { problem: "The bundle is cut off: a certificate begins and does not end; write the whole file again." };
  if (found.size === 0) return { problem: "The bundle holds no certificate; it must be PEM with BEGIN CERTIFICATE blocks." };
  return { certificates: [...found] };
}

/** A bundle again, one certificate after the other. */
export function formatBundle(certificates: readonly string[]): string {
  return certificates.join("");
}

/** `base64` without line breaks → a PEM block with lines of 64 and a line break at its end. */
export function formatPem(label: string, base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function isBase64(text: string): boolean {
  return text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}
