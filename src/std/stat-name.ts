/**
 * The names weft gives to Envoy's clusters and stat prefixes, and their inverse.
 *
 * Envoy's statsd sink over TCP carries no tags, so what must become a label stands in the name. Kubernetes Service and
 * namespace names are DNS labels ([a-z0-9-]): `_` can separate them, and the scheme is injective. Only [A-Za-z0-9_-]
 * appears, because Envoy does not escape names and a dot would split them.
 */
export type StatName =
  | { readonly direction: "inbound"; readonly port: number }
  | { readonly direction: "outbound"; readonly namespace: string; readonly service: string; readonly port: number }
  | { readonly direction: "passthrough" };

/** `inbound_8080`, `outbound_bookstore_default_80` (service, then namespace), `passthrough`. */
export function formatStatName(name: StatName): string {
  switch (name.direction) {
    case "inbound":
      return `inbound_${name.port}`;
    case "outbound":
      return `outbound_${name.service}_${name.namespace}_${name.port}`;
    case "passthrough":
      return "passthrough";
  }
}

/** The inverse of {@link formatStatName}; undefined for a name that is not ours. */
export function parseStatName(text: string): StatName | undefined {
  if (text === "passthrough") return { direction: "passthrough" };
  const parts = text.split("_");
  const port = parsePort(parts.at(-1) ?? "");
  if (port === undefined) return undefined;
  if (parts[0] === "inbound" && parts.length === 2) return { direction: "inbound", port };
  const [, service, namespace] = parts;
  if (parts[0] !== "outbound" || parts.length !== 4 || !service || !namespace) return undefined;
  return { direction: "outbound", namespace, service, port };
}

function parsePort(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}
