/** Every name that weft shares with the outside: labels, annotations, ports, users, containers, files. */

/** Namespace: `enabled` or `always`. Pod: `always`, `enabled` or `disabled`; the pod's word wins. */
export const injectLabel = "weft.mesh/inject";
/** On injected pods: `{"version","rules"}` as JSON; for people and `uninject`, never trusted. */
export const statusAnnotation = "weft.mesh/status";
/** Set by the API server on each namespace. */
export const namespaceNameLabel = "kubernetes.io/metadata.name";
/** On every object of the chart's own pods: `control-plane-pod`. */
export const componentLabel = "app.kubernetes.io/part-of";

/** Ports of an injected pod. */
export const ports = {
  /** Envoy's admin interface, on 127.0.0.1. */
  admin: 15000,
  outbound: 15001,
  inbound: 15006,
  /** The agent: health, and the user's probes, rewritten. */
  agent: 15020,
  /** The adapter's Prometheus endpoint. */
  prometheus: 15090,
  /** statsd, TCP and UDP, on 127.0.0.1. */
  statsd: 9125,
} as const;

/** Ports of the control plane. */
export const controlPlanePorts = { webhook: 10250, xds: 15010, ca: 15012, metricsServer: 3000, telemetry: 9090 } as const;

/** UID and GID of the three sidecars: what they send is not redirected. */
export const proxyUser = 1337;

export const containers = { init: "weft-init", agent: "weft-agent", adapter: "weft-adapter", proxy: "weft-proxy" } as const;

/** Volumes that injection adds. */
export const volumes = { run: "weft-run", token: "weft-token", trust: "weft-trust-bundle" } as const;

/**
 * Where they are mounted. The proxy's working directory is `run`, and every path in its configuration is relative to it
 * (`certs/identity.yaml`): the same configuration then serves a pod and a process on a laptop.
 */
export const paths = {
  run: "/var/run/weft",
  certificates: "/var/run/weft/certs",
  settings: "/var/run/weft/settings.json",
  token: "/var/run/weft-token/token",
  trustBundle: "/var/run/weft-trust/trust-bundle.pem",
} as const;

/** Files that the agent keeps in its directory; `current` is a symlink to a fresh directory per certificate. */
export const certificateFiles = {
  identity: "certs/identity.yaml",
  trust: "certs/trust.yaml",
  directory: "certs",
  /** Names of the two Secrets in these files. */
  identitySecret: "identity",
  trustSecret: "trust",
} as const;

/** The ConfigMap that carries the roots to every namespace, and its key. */
export const trustBundle = { configMap: "weft-trust-bundle", key: "trust-bundle.pem" } as const;

/** The audience of the agents' service-account tokens. */
export const tokenAudience = "weft-ca";

/** Mesh-to-mesh TLS is told from an application's own TLS by this ALPN protocol. */
export const meshAlpn = "weft";
/** The same where the client's proxy knows that HTTP is inside: for ports of which the server's proxy does not. */
export const meshHttpAlpn = "weft-http";

/** API groups and kinds. */
export const smiGroup = "smi-spec.io";
export const splitGroup = "split.smi-spec.io";
