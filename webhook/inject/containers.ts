import type { MeshConfig } from "../../src/api/mesh-config.ts";
import { buildBootstrap } from "../../src/envoy/bootstrap.ts";
import { containers, paths, ports, proxyUser, tokenAudience, trustBundle, volumes } from "../../src/std/well-known.ts";
import { redirectionAnnotations } from "./annotation-table.ts";
import type { EnvironmentVariable } from "./annotation-values.ts";
import { agentCommand, probesVariable } from "./injected.ts";
import type { PodSettings, SidecarResources } from "./settings.ts";

/** What the sidecars of a pod depend on, beside the mesh configuration. */
export interface SidecarVariant {
  /** Init containers with `restartPolicy: Always` instead of ordinary containers. */
  readonly native: boolean;
  /** A Monitor selects the pod: adapter, and the proxy's statsd. */
  readonly monitored: boolean;
}

/** All that the containers of one pod depend on. */
export interface SidecarInput {
  readonly config: MeshConfig;
  readonly variant: SidecarVariant;
  readonly settings: PodSettings;
  /** Of {@link formatBootstrap}: the largest part by far, and it does not depend on the pod. */
  readonly bootstrap: string;
}

/** The text of Envoy's bootstrap, JSON. Kubernetes expands `$(NAME)` in arguments; the escaped JSON is the same for Envoy. */
export function formatBootstrap({ controlPlane, monitor }: MeshConfig, monitored: boolean): string {
  const bootstrap = buildBootstrap({ xds: controlPlane.xds, statsd: monitored, flushInterval: monitor.flushInterval });
  return JSON.stringify(bootstrap).replaceAll("$", String.raw`\u0024`);
}

/** The agent's certificate and the proxy's configuration may need the control plane to come up: two minutes. */
const startupAttempts = 120;

/** `weft-init`: the redirection. It alone is root, with the two capabilities that iptables needs. */
export function initContainer({ settings }: SidecarInput): object {
  const args = ["--inbound-port", ports.inbound, "--outbound-port", ports.outbound, "--proxy-uid", proxyUser];
  return {
    name: containers.init,
    ...image(settings),
    command: ["weft", "init"],
    args: [...args.map(String), ...redirectionArguments(settings)],
    ...resources(settings.resources.init),
    securityContext: {
      ...restricted,
      capabilities: { drop: ["ALL"], add: ["NET_ADMIN", "NET_RAW"] },
      runAsNonRoot: false,
      runAsUser: 0,
      runAsGroup: 0,
    },
    terminationMessagePolicy: "FallbackToLogsOnError",
  };
}

/** `weft-agent`: certificates and the user's probes. WEFT_PROBES is `probes`, JSON. */
export function agentContainer(input: SidecarInput, probes: string): object {
  const { config, variant, settings } = input;
  return {
    name: containers.agent,
    ...image(settings),
    command: agentCommand(),
    env: [
      ...podIdentity,
      { name: "WEFT_POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "WEFT_CA", value: config.controlPlane.ca },
      { name: "WEFT_TRUST_BUNDLE", value: paths.trustBundle },
      { name: "WEFT_TOKEN", value: paths.token },
      { name: "WEFT_DIRECTORY", value: paths.run },
      { name: "WEFT_HEALTH", value: `0.0.0.0:${ports.agent}` },
      { name: probesVariable, value: probes },
      ...drain(input),
      { name: "NODE_OPTIONS", value: "--max-old-space-size=48 --max-semi-space-size=1" },
    ],
    ports: [{ name: "weft-health", containerPort: ports.agent, protocol: "TCP" }],
    ...lifetime(variant),
    ...resources(settings.resources.agent),
    startupProbe: startupProbe("/ready/agent", ports.agent),
    ...lifecycle(hold("/ready/agent", input)),
    ...hardened,
    volumeMounts: [
      { name: volumes.run, mountPath: paths.run },
      { name: volumes.token, mountPath: directoryOf(paths.token), readOnly: true },
      { name: volumes.trust, mountPath: directoryOf(paths.trustBundle), readOnly: true },
    ],
  };
}

/** `weft-adapter`: the proxy's statsd to Prometheus. */
export function adapterContainer({ variant, settings }: SidecarInput): object {
  return {
    name: containers.adapter,
    ...image(settings),
    command: ["weft", "adapter"],
    env: [
      { name: "WEFT_STATSD", value: `127.0.0.1:${ports.statsd}` },
      { name: "WEFT_METRICS", value: `0.0.0.0:${ports.prometheus}` },
      { name: "WEFT_SETTINGS", value: paths.settings },
      { name: "NODE_OPTIONS", value: "--max-old-space-size=64 --max-semi-space-size=1" },
    ],
    ports: [{ name: "weft-metrics", containerPort: ports.prometheus, protocol: "TCP" }],
    ...lifetime(variant),
    ...resources(settings.resources.adapter),
    startupProbe: startupProbe("/ready", ports.prometheus),
    ...hardened,
    volumeMounts: [{ name: volumes.run, mountPath: paths.run, readOnly: true }],
  };
}

/** `weft-proxy`: Envoy. Its bootstrap does not depend on the pod; the node id comes from the downward API. */
export function proxyContainer(input: SidecarInput): object {
  const { variant, settings } = input;
  return {
    name: containers.proxy,
    ...image(settings),
    command: ["envoy"],
    args: proxyArguments(input),
    workingDir: paths.run,
    env: [...podIdentity, ...settings.environment.map(literalVariable)],
    ...lifetime(variant),
    ...resources(settings.resources.proxy),
    startupProbe: startupProbe("/ready/proxy", ports.agent),
    ...lifecycle({ ...hold("/ready/proxy", input), ...outlive(input) }),
    ...hardened,
    volumeMounts: [{ name: volumes.run, mountPath: paths.run, readOnly: true }],
  };
}

/** Our volumes, in the order in which they are appended. */
export function podVolumes(): readonly object[] {
  const token = { audience: tokenAudience, expirationSeconds: 3600, path: "token" };
  return [
    { name: volumes.run, emptyDir: { medium: "Memory", sizeLimit: "4Mi" } },
    // 0444: the kubelet gives a projected token to one user only when all containers share it, which ours do not.
    { name: volumes.token, projected: { defaultMode: 0o444, sources: [{ serviceAccountToken: token }] } },
    // Not optional: until the controller has written the ConfigMap, the kubelet waits and tries again.
    { name: volumes.trust, configMap: { name: trustBundle.configMap, defaultMode: 0o444, items: [{ key: trustBundle.key, path: trustBundle.key }] } },
  ];
}

function proxyArguments({ settings, bootstrap }: SidecarInput): readonly string[] {
  return [
    "--config-yaml",
    bootstrap,
    "--service-cluster",
    "weft",
    "--service-node",
    "$(WEFT_NAMESPACE)/$(WEFT_POD)",
    "--concurrency",
    String(settings.concurrency),
    "--log-level",
    settings.logLevel,
    "--disable-hot-restart",
    "--drain-time-s",
    String(settings.drainSeconds),
  ];
}

/**
 * Ordinary containers start one after the other, and the kubelet waits for a postStart hook before the next: the proxy,
 * which ends where there is no certificate, is held until the agent has one, the application until the proxy is ready.
 * The image has no shell.
 */
function hold(ready: string, { variant }: SidecarInput): object {
  const url = `http://127.0.0.1:${ports.agent}${ready}`;
  return variant.native ? {} : { postStart: { exec: { command: ["weft", "wait", "--url", url, "--timeout", `${startupAttempts}s`] } } };
}

/** Ordinary containers are told to end all at once, after their preStop hooks: so the proxy outlives the application. */
function outlive({ variant, settings }: SidecarInput): object {
  return variant.native ? {} : { preStop: { exec: { command: ["weft", "wait", "--for", `${settings.drainSeconds}s`] } } };
}

function lifecycle(hooks: object): object {
  return Object.keys(hooks).length === 0 ? {} : { lifecycle: hooks };
}

/** Tells the agent that it has to end the others, and when the proxy is through. */
function drain({ variant, settings }: SidecarInput): readonly object[] {
  return variant.native ? [] : [{ name: "WEFT_DRAIN_SECONDS", value: String(settings.drainSeconds) }];
}

const podIdentity = [
  { name: "WEFT_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
  { name: "WEFT_POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
];

/** What Pod Security `restricted` asks of a container, and a read-only root. */
const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  privileged: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  runAsUser: proxyUser,
  runAsGroup: proxyUser,
  seccompProfile: { type: "RuntimeDefault" },
};
const hardened = { securityContext: restricted, terminationMessagePolicy: "FallbackToLogsOnError" };

/** Ours are always excluded, whatever else is: the kubelet and Prometheus ask there. */
function redirectionArguments({ redirected }: PodSettings): readonly string[] {
  const excluded = [String(ports.agent), String(ports.prometheus), ...(redirected["exclude-inbound-ports"] ?? [])];
  const lists = { ...redirected, "exclude-inbound-ports": [...new Set(excluded)] };
  return redirectionAnnotations.flatMap((name) => (lists[name] === undefined ? [] : [`--${name}`, lists[name].join(",")]));
}

/** Kubernetes expands `$(NAME)` in values, and `$$` is its `$`. */
function literalVariable({ name, value }: EnvironmentVariable): EnvironmentVariable {
  return { name, value: value.replaceAll("$", "$$$$") };
}

function image(settings: PodSettings): object {
  return { image: settings.image, imagePullPolicy: settings.pullPolicy };
}

function lifetime({ native }: SidecarVariant): object {
  return native ? { restartPolicy: "Always" } : {};
}

/** None at all beside a pod that declares its own as a whole. */
function resources({ requests, limits }: SidecarResources): object {
  const declared = { ...filled("requests", requests), ...filled("limits", limits) };
  return Object.keys(declared).length === 0 ? {} : { resources: declared };
}

function filled(bound: string, amounts: object): object {
  return Object.keys(amounts).length === 0 ? {} : { [bound]: amounts };
}

function startupProbe(path: string, port: number): object {
  return { httpGet: { path, port, scheme: "HTTP" }, periodSeconds: 1, timeoutSeconds: 2, failureThreshold: startupAttempts };
}

function directoryOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}
