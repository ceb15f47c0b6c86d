import type { BootstrapJson } from "../gen/envoy/config/bootstrap/v3/bootstrap_pb.d.ts";
import type { ClusterJson } from "../gen/envoy/config/cluster/v3/cluster_pb.d.ts";
import type { ConfigSourceJson } from "../gen/envoy/config/core/v3/config_source_pb.d.ts";
import type { StatsdSinkJson, StatsSinkJson } from "../gen/envoy/config/metrics/v3/stats_pb.d.ts";
import type { HttpProtocolOptionsJson } from "../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.d.ts";
import { parseEndpoint, type Endpoint } from "../std/endpoint.ts";
import { isIpAddress } from "../std/ip-address.ts";
import { ports } from "../std/well-known.ts";
import { tcpAddress } from "./address.ts";
import { clusterNames } from "./names.ts";
import { packAny } from "./pack-any.ts";
import { clientTls } from "./tls.ts";

export interface BootstrapOptions {
  /** `HOST:PORT` of delta ADS; the server's certificate must carry HOST. IPv6 as `[::1]:15010`. */
  readonly xds: string;
  /** Whether the adapter takes statistics on 127.0.0.1:9125. */
  readonly statsd: boolean;
  /** How often they are sent, as a protobuf duration: `5s`, `0.5s`. */
  readonly flushInterval: string;
}

/**
 * What a proxy is started with. It does not depend on the pod: the node id comes by `--service-node`, certificates
 * by relative path. Throws a RangeError when `xds` is not HOST:PORT.
 */
export function buildBootstrap(options: BootstrapOptions): BootstrapJson {
  const statsd = options.statsd ? { statsSinks: [statsdSink()], statsFlushInterval: options.flushInterval } : {};
  return {
    admin: { address: tcpAddress("127.0.0.1", ports.admin) },
    dynamicResources: {
      adsConfig: {
        apiType: "DELTA_GRPC",
        transportApiVersion: "V3",
        setNodeOnFirstMessageOnly: true,
        grpcServices: [{ envoyGrpc: { clusterName: clusterNames.xds, retryPolicy: { retryBackOff: { baseInterval: "0.25s", maxInterval: "5s" } } } }],
      },
      cdsConfig: fromControlPlane(),
      ldsConfig: fromControlPlane(),
    },
    staticResources: { clusters: [xdsCluster(options.xds), ...(options.statsd ? [statsdCluster()] : [])] },
    // A regex of program size over 100 would make Envoy refuse the whole configuration.
    layeredRuntime: { layers: [{ name: "weft", staticLayer: { "re2.max_program_size.error_level": 32768 } }] },
    ...statsd,
  };
}

/** Waits for ever: without configuration the listeners do not exist, so a proxy that gave up waiting would refuse all traffic. */
function fromControlPlane(): ConfigSourceJson {
  return { ads: {}, resourceApiVersion: "V3", initialFetchTimeout: "0s" };
}

function xdsCluster(target: string): ClusterJson {
  const { host, port } = readTarget(target);
  const byAddress = isIpAddress(host);
  const name = byAddress ? { sanType: "IP_ADDRESS" as const, matcher: { exact: host } } : { sanType: "DNS" as const, matcher: { exact: host } };
  return {
    name: clusterNames.xds,
    type: byAddress ? "STATIC" : "STRICT_DNS",
    connectTimeout: "5s",
    loadAssignment: { clusterName: clusterNames.xds, endpoints: [{ lbEndpoints: [{ endpoint: { address: tcpAddress(host, port) } }] }] },
    transportSocket: clientTls({ serverNames: [name], alpn: ["h2"], ...(!byAddress && { sni: host }) }),
    typedExtensionProtocolOptions: { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": keptAliveHttp2() },
  };
}

/** The keepalive finds streams whose other end is gone without a word. */
function keptAliveHttp2() {
  return packAny("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", {
    explicitHttpConfig: { http2ProtocolOptions: { connectionKeepalive: { interval: "10s", timeout: "5s" } } },
  } satisfies HttpProtocolOptionsJson);
}

/** TCP: statsd over UDP halves Envoy's throughput, this costs it 4 % (reference: Envoy 1.40, tried). */
function statsdSink(): StatsSinkJson {
  const sink: StatsdSinkJson = { tcpClusterName: clusterNames.statsd };
  return { name: "envoy.stat_sinks.statsd", typedConfig: packAny("envoy.config.metrics.v3.StatsdSink", sink) };
}

function statsdCluster(): ClusterJson {
  return {
    name: clusterNames.statsd,
    type: "STATIC",
    connectTimeout: "1s",
    loadAssignment: {
      clusterName: clusterNames.statsd,
      endpoints: [{ lbEndpoints: [{ endpoint: { address: tcpAddress("127.0.0.1", ports.statsd) } }] }],
    },
  };
}

function readTarget(text: string): Endpoint {
  const target = parseEndpoint(text);
  if (target === undefined || target.port === 0) throw new RangeError(`${JSON.stringify(text)} is not HOST:PORT (IPv6: [HOST]:PORT)`);
  return target;
}
