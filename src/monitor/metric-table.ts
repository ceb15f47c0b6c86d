/**
 * The one table of what weft exports of Envoy: README.md shows it, a test keeps the two equal. What is not in it is
 * dropped as `unmapped`: redundant (a cluster's `upstream_rq_2xx` beside its codes, the outbound listener's view of what
 * the cluster counts too) or an internal of Envoy, which its own admin interface tells better.
 */
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const bytes = [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

interface KnownFamily {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly buckets: readonly number[];
}

function counter(help: string): KnownFamily {
  return { type: "counter", help, buckets: [] };
}
function gauge(help: string): KnownFamily {
  return { type: "gauge", help, buckets: [] };
}
function histogram(help: string, buckets: readonly number[]): KnownFamily {
  return { type: "histogram", help, buckets };
}

export const families = {
  weft_requests_total: counter("HTTP requests answered, by response code."),
  weft_request_duration_seconds: histogram("Time from the request's first byte to the answer's last.", seconds),
  weft_requests_active: gauge("HTTP requests in flight."),
  weft_request_size_bytes: histogram("Size of request bodies.", bytes),
  weft_response_size_bytes: histogram("Size of response bodies.", bytes),
  weft_request_retries_total: counter("HTTP requests tried again."),
  weft_request_timeouts_total: counter("HTTP requests that got no answer in time."),
  weft_connections_total: counter("Connections opened, HTTP and TCP."),
  weft_connections_active: gauge("Connections open."),
  weft_connection_failures_total: counter("Connections that could not be opened."),
  weft_received_bytes_total: counter("Bytes received from the peer: the client (inbound) or the destination (outbound)."),
  weft_sent_bytes_total: counter("Bytes sent to the peer: the client (inbound) or the destination (outbound)."),
  weft_endpoints: gauge("Endpoints known of a destination."),
  weft_endpoints_healthy: gauge("Endpoints of a destination that take requests."),
  weft_proxy_live: gauge("1 when the proxy takes traffic, 0 when it starts or drains."),
  weft_proxy_uptime_seconds: gauge("Time since the proxy started."),
  weft_proxy_memory_allocated_bytes: gauge("Memory that the proxy has allocated."),
  weft_proxy_controller_connected: gauge("1 when the proxy is connected to the controller."),
  weft_proxy_updates_rejected_total: counter("Configurations that the proxy refused."),
} as const satisfies Record<string, KnownFamily>;

export type FamilyName = keyof typeof families;

export interface EnvoyRow {
  readonly metric: FamilyName;
  /** What Envoy sends for it. */
  readonly statsd: "c" | "g" | "ms";
  readonly divisor: number;
}

function count(metric: FamilyName): EnvoyRow {
  return { metric, statsd: "c", divisor: 1 };
}
function level(metric: FamilyName): EnvoyRow {
  return { metric, statsd: "g", divisor: 1 };
}
function timer(metric: FamilyName): EnvoyRow {
  return { metric, statsd: "ms", divisor: 1000 };
}
/** Envoy sends every histogram as `ms`, whatever its unit. */
function size(metric: FamilyName): EnvoyRow {
  return { metric, statsd: "ms", divisor: 1 };
}

/** What a destination's cluster tells; the same for what passes through. */
const clusterRows: readonly (readonly [string, EnvoyRow])[] = [
  ["upstream_rq_CODE", count("weft_requests_total")],
  ["upstream_rq_time", timer("weft_request_duration_seconds")],
  ["upstream_rq_active", level("weft_requests_active")],
  ["upstream_rq_body_size", size("weft_request_size_bytes")],
  ["upstream_rs_body_size", size("weft_response_size_bytes")],
  ["upstream_rq_retry", count("weft_request_retries_total")],
  ["upstream_rq_timeout", count("weft_request_timeouts_total")],
  ["upstream_cx_total", count("weft_connections_total")],
  ["upstream_cx_active", level("weft_connections_active")],
  ["upstream_cx_connect_fail", count("weft_connection_failures_total")],
  ["upstream_cx_rx_bytes_total", count("weft_received_bytes_total")],
  ["upstream_cx_tx_bytes_total", count("weft_sent_bytes_total")],
  ["membership_total", level("weft_endpoints")],
  ["membership_healthy", level("weft_endpoints_healthy")],
];

/**
 * By `SCOPE.DIRECTION.STATISTIC` (CODE: 200, CLASS: 2xx) or the statistic's whole name. Two gauges of Envoy never share a
 * row's metric and labels (the later line would win); counters may, and add up: a connection is HTTP or TCP.
 */
export const envoyRows: ReadonlyMap<string, EnvoyRow> = new Map([
  ["http.inbound.downstream_rq_CLASS", count("weft_requests_total")],
  ["http.inbound.downstream_rq_time", timer("weft_request_duration_seconds")],
  ["http.inbound.downstream_rq_active", level("weft_requests_active")],
  ["http.inbound.downstream_cx_total", count("weft_connections_total")],
  ["http.inbound.downstream_cx_active", level("weft_connections_active")],
  ["http.inbound.downstream_cx_rx_bytes_total", count("weft_received_bytes_total")],
  ["http.inbound.downstream_cx_tx_bytes_total", count("weft_sent_bytes_total")],
  ["tcp.inbound.downstream_cx_total", count("weft_connections_total")],
  ["tcp.inbound.downstream_cx_rx_bytes_total", count("weft_received_bytes_total")],
  ["tcp.inbound.downstream_cx_tx_bytes_total", count("weft_sent_bytes_total")],
  ...clusterRows.map(([stat, row]) => [`cluster.outbound.${stat}`, row] as const),
  ...clusterRows.map(([stat, row]) => [`cluster.passthrough.${stat}`, row] as const),
  ["server.live", level("weft_proxy_live")],
  ["server.uptime", level("weft_proxy_uptime_seconds")],
  ["server.memory_allocated", level("weft_proxy_memory_allocated_bytes")],
  ["control_plane.connected_state", level("weft_proxy_controller_connected")],
  ["cluster_manager.cds.update_rejected", count("weft_proxy_updates_rejected_total")],
  ["listener_manager.lds.update_rejected", count("weft_proxy_updates_rejected_total")],
]);
