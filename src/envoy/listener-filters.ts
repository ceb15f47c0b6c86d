import type { ListenerFilterChainMatchPredicateJson, ListenerFilterJson } from "../gen/envoy/config/listener/v3/listener_components_pb.d.ts";
import { packAny } from "./pack-any.ts";

/** Gives back the address that the connection had before it was redirected. */
export const originalDestinationFilter: ListenerFilterJson = {
  name: "envoy.filters.listener.original_dst",
  typedConfig: packAny("envoy.extensions.filters.listener.original_dst.v3.OriginalDst", {}),
};

/** Tells TLS, and the ALPN protocols that the client offers, from anything else. */
export const tlsInspector: ListenerFilterJson = {
  name: "envoy.filters.listener.tls_inspector",
  typedConfig: packAny("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector", {}),
};

/** What the HTTP inspector reports of plaintext HTTP. */
export const httpProtocols = ["http/1.0", "http/1.1", "h2c"];

/**
 * Looks for plaintext HTTP on `numbers` only: elsewhere it would hold up protocols in which the server speaks first.
 * Nothing to look at = no filter.
 */
export function httpInspectors(numbers: Iterable<number>): ListenerFilterJson[] {
  const rules = [...new Set(numbers)].toSorted((a, b) => a - b).map((port) => ({ destinationPortRange: { start: port, end: port + 1 } }));
  const [first] = rules;
  if (first === undefined) return [];
  const wanted: ListenerFilterChainMatchPredicateJson = rules.length === 1 ? first : { orMatch: { rules } };
  return [
    {
      name: "envoy.filters.listener.http_inspector",
      typedConfig: packAny("envoy.extensions.filters.listener.http_inspector.v3.HttpInspector", {}),
      filterDisabled: { notMatch: wanted },
    },
  ];
}
