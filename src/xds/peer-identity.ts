/**
 * The URIs among a certificate's names, from Node's text form (`URI:spiffe://…, DNS:a, DNS:"with, comma"`). Names with
 * special characters are quoted there (CVE-2021-44532); none of ours are, so a quoted one is no identity.
 */
export function urisOf(subjectAltName: string | undefined): readonly string[] {
  const entries = (subjectAltName ?? "").match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? [];
  return entries
    .map((entry) => entry.trim())
    .filter((entry) => entry.startsWith("URI:") && !entry.includes('"'))
    .map((entry) => entry.slice("URI:".length));
}
