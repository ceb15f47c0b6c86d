/** Every annotation of a pod that changes its injection, in one table; webhook/README.md shows the same rows. */
import { logLevels } from "../../src/api/mesh-config.ts";
import type { AmountKind } from "../../src/api/resource-amount.ts";
import {
  amount,
  choice,
  environment,
  image,
  interfaces,
  networks,
  networksOrAll,
  onOff,
  ports,
  portsOrAll,
  userIds,
  whole,
  type ValueType,
} from "./annotation-values.ts";

export const annotationPrefix = "weft.mesh/";

export interface AnnotationRow<T = unknown> {
  readonly type: ValueType<T>;
  /** In words; what counts when neither the pod nor its namespace says anything. */
  readonly default: string;
  readonly example: string;
  readonly sentence: string;
}

/** Sidecars, as the annotations of resources name them. */
export const sidecars = ["proxy", "agent", "adapter", "init"] as const;
export type SidecarName = (typeof sidecars)[number];
export type ResourceAnnotation = `${SidecarName}-${AmountKind}-${"request" | "limit"}`;

const amountExamples = { cpu: { request: "20m", limit: "500m" }, memory: { request: "64Mi", limit: "256Mi" } } as const;

const redirection = {
  "include-inbound-ports": {
    type: portsOrAll,
    default: "`*`",
    example: "8080,8443",
    sentence: "ports on which incoming traffic goes through the proxy; all others reach the application directly",
  },
  "exclude-inbound-ports": { type: ports, default: "none", example: "9100", sentence: "ports on which incoming traffic reaches the application directly" },
  "include-outbound-ports": {
    type: portsOrAll,
    default: "`*`",
    example: "80,443",
    sentence: "ports to which outgoing traffic goes through the proxy; all others are reached directly",
  },
  "exclude-outbound-ports": { type: ports, default: "none", example: "3306,5432", sentence: "ports to which outgoing traffic leaves the pod directly" },
  "include-outbound-cidrs": {
    type: networksOrAll,
    default: "`*`",
    example: "10.0.0.0/8",
    sentence: "networks to which outgoing traffic goes through the proxy; all others are reached directly",
  },
  "exclude-outbound-cidrs": {
    type: networks,
    default: "none",
    example: "169.254.169.254,fd00:ec2::254",
    sentence: "networks to which outgoing traffic leaves the pod directly",
  },
  "exclude-inbound-cidrs": { type: networks, default: "none", example: "192.168.0.0/16", sentence: "networks from which traffic reaches the application directly" },
  "exclude-uids": { type: userIds, default: "none", example: "101,1001", sentence: "users whose outgoing traffic leaves the pod directly" },
  "exclude-interfaces": { type: interfaces, default: "none", example: "net1", sentence: "network interfaces whose traffic, in and out, passes the proxy by" },
} as const satisfies Readonly<Record<string, AnnotationRow>>;
export type RedirectionAnnotation = keyof typeof redirection;
/** Also the flags of `weft init`, in the order in which they are given to it. */
export const redirectionAnnotations = Object.keys(redirection) as readonly RedirectionAnnotation[];

const sidecarRows = {
  redirection: {
    type: choice(["iptables", "cni", "none"]),
    default: "`injection.redirection`",
    example: "cni",
    sentence: "who redirects traffic to the proxy: the container weft-init, a CNI plugin of the node, or nobody",
  },
  image: {
    type: image,
    default: "`images.weft`",
    example: "registry.example/weft/weft:1.2.3",
    sentence: "the image of the sidecars; one that `injection.allowedImages` allows",
  },
  "image-pull-policy": {
    type: choice(["Always", "IfNotPresent", "Never"]),
    default: "`images.pullPolicy`",
    example: "Always",
    sentence: "when the node pulls the image of the sidecars",
  },
  "log-level": { type: choice(logLevels), default: "`injection.logLevel`", example: "debug", sentence: "what the proxy logs" },
  concurrency: { type: whole(1, 64), default: "`injection.concurrency`", example: "4", sentence: "threads of the proxy that serve traffic" },
  "drain-seconds": {
    type: whole(1, 3600),
    default: "`injection.drainSeconds`",
    example: "30",
    sentence: "seconds for which a proxy that ends goes on serving open connections",
  },
  "native-sidecars": {
    type: onOff,
    default: "`injection.nativeSidecars`",
    example: "off",
    sentence: "sidecars as init containers that go on running, or as ordinary containers",
  },
  "rewrite-probes": { type: onOff, default: "on", example: "off", sentence: "whether probes and hooks go through the agent; otherwise their ports are not redirected" },
  env: { type: environment, default: "none", example: '{"TZ":"Europe/Berlin"}', sentence: "further environment variables of the proxy; `$` means itself" },
} as const satisfies Readonly<Record<string, AnnotationRow>>;

/** Every row by its name without the prefix. */
export const annotationTable = { ...redirection, ...sidecarRows, ...resourceRows() };

export type AnnotationName = keyof typeof annotationTable;

/** What annotations say, typed; absent where they say nothing. */
export type AnnotationValues = {
  readonly [Name in AnnotationName]?: (typeof annotationTable)[Name] extends { readonly type: ValueType<infer T> } ? T : never;
};

export function isAnnotationName(name: string): name is AnnotationName {
  return Object.hasOwn(annotationTable, name);
}

function resourceRows(): Readonly<Record<ResourceAnnotation, AnnotationRow<string>>> {
  const rows = sidecars.flatMap((sidecar) => (["cpu", "memory"] as const).flatMap((kind) => [resourceRow(sidecar, kind, "request"), resourceRow(sidecar, kind, "limit")]));
  return Object.fromEntries(rows) as Readonly<Record<ResourceAnnotation, AnnotationRow<string>>>;
}

function resourceRow(sidecar: SidecarName, kind: AmountKind, bound: "request" | "limit"): [ResourceAnnotation, AnnotationRow<string>] {
  const row: AnnotationRow<string> = {
    type: amount(kind),
    default: `\`injection.resources.${sidecar}.${bound}s.${kind}\``,
    example: amountExamples[kind][bound],
    sentence: bound === "request" ? `${kind} that weft-${sidecar} asks for` : `${kind} that weft-${sidecar} may use at most`,
  };
  return [`${sidecar}-${kind}-${bound}`, row];
}
