import { describe, expect, it } from "vitest";
import { parseBundle } from "../../../../certs/x509/pem.ts";

const a = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const b = "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n";

describe("trust bundles", () => {
  it.each([
    ["one", a, [a]],
    ["two in order", b + a, [b, a]],
    ["a duplicate", a + b + a, [a, b]],
    ["a byte order mark", `\uFEFF${a}`, [a]],
    ["Windows line ends and trailing blanks", a.replaceAll("\n", " \r\n"), [a]],
    ["comments and other blocks between", `# root of 2026\n${a}junk\n-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n${b}`, [a, b]],
    ["no line break at the end", a.trimEnd(), [a]],
  ])("reads %s", (_what, text, certificates) => {
    expect(parseBundle(text)).toEqual({ certificates });
  });

  it.each([
    ["nothing", "", "The bundle holds no certificate; it must be PEM with BEGIN CERTIFICATE blocks."],
    ["a cut-off one", a + a.slice(0, 30), "The bundle is cut off: a certificate begins and does not end; write the whole file again."],
    ["one that is no base64", `${a}-----BEGIN CERTIFICATE-----\nA?AA\n-----END CERTIFICATE-----\n`, "Certificate 2 of the bundle is not base64; export it again as PEM."],
  ])("says what is wrong with %s", (_what, text, problem) => {
    expect(parseBundle(text)).toEqual({ problem });
  });
});
