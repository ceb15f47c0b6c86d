import type { TransportSocketJson } from "../gen/envoy/config/core/v3/base_pb.d.ts";
import type { DownstreamTlsContextJson, UpstreamTlsContextJson, CommonTlsContextJson } from "../gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.d.ts";
import type { SdsSecretConfigJson } from "../gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.d.ts";
import type { SubjectAltNameMatcherJson } from "../gen/envoy/extensions/transport_sockets/tls/v3/common_pb.d.ts";
import { certificateFiles } from "../std/well-known.ts";
import { packAny } from "./pack-any.ts";

const tlsPackage = "envoy.extensions.transport_sockets.tls.v3";

export interface ClientTls {
  /** The server must carry one of these; must not be empty, or any certificate of the mesh would do. */
  readonly serverNames: readonly SubjectAltNameMatcherJson[];
  /** Empty = no ALPN. */
  readonly alpn: readonly string[];
  readonly sni?: string;
}

/** TLS towards a server, with the own certificate. */
export function clientTls(options: ClientTls): TransportSocketJson {
  const context: UpstreamTlsContextJson = {
    commonTlsContext: { ...commonTls(options.serverNames), ...(options.alpn.length > 0 && { alpnProtocols: [...options.alpn] }) },
    ...(options.sni !== undefined && { sni: options.sni }),
  };
  return { name: "envoy.transport_sockets.tls", typedConfig: packAny(`${tlsPackage}.UpstreamTlsContext`, context) };
}

/**
 * TLS for a client of the mesh, whose certificate is required. No ALPN is offered: an answered `weft` would make Envoy's
 * codec detection take HTTP/2 for HTTP/1 (it believes the protocol that was agreed, else it looks at the first bytes).
 */
export function serverTls(clientNames: readonly SubjectAltNameMatcherJson[]): TransportSocketJson {
  const context: DownstreamTlsContextJson = { requireClientCertificate: true, commonTlsContext: commonTls(clientNames) };
  return { name: "envoy.transport_sockets.tls", typedConfig: packAny(`${tlsPackage}.DownstreamTlsContext`, context) };
}

/** A URI subject alternative name: a SPIFFE identity. */
export function uriName(match: { readonly exact: string } | { readonly prefix: string }): SubjectAltNameMatcherJson {
  return { sanType: "URI", matcher: match };
}

function commonTls(peers: readonly SubjectAltNameMatcherJson[]): CommonTlsContextJson {
  return {
    tlsParams: { tlsMinimumProtocolVersion: "TLSv1_3", tlsMaximumProtocolVersion: "TLSv1_3" },
    tlsCertificateSdsSecretConfigs: [fileSecret(certificateFiles.identitySecret, certificateFiles.identity)],
    combinedValidationContext: {
      defaultValidationContext: { matchTypedSubjectAltNames: [...peers] },
      validationContextSdsSecretConfig: fileSecret(certificateFiles.trustSecret, certificateFiles.trust),
    },
  };
}

/** Only certificates that come by SDS are read again when they change; the agent swaps a symlink in the watched directory. */
function fileSecret(name: string, path: string): SdsSecretConfigJson {
  return {
    name,
    sdsConfig: { resourceApiVersion: "V3", pathConfigSource: { path, watchedDirectory: { path: certificateFiles.directory } } },
  };
}
