import { Type, type Static } from "typebox";
import { amountPatterns } from "./resource-amount.ts";

const strict = { additionalProperties: false };
const optional: typeof Type.Optional = Type.Optional;
const amounts = Type.Object(
  { cpu: optional(Type.String({ pattern: amountPatterns.cpu })), memory: optional(Type.String({ pattern: amountPatterns.memory })) },
  strict,
);
const resources = Type.Object({ requests: optional(amounts), limits: optional(amounts) }, strict);

const namespaceName = Type.String({ pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", maxLength: 63 });

/** Envoy's. */
export const logLevels = ["trace", "debug", "info", "warning", "error", "critical", "off"] as const;

/** The mesh configuration as a person writes it (`weft.yaml`, ConfigMap `weft-config`): every key is optional. */
export const MeshConfigFile = Type.Object(
  {
    trustDomain: optional(Type.String({ pattern: "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", maxLength: 255 })),
    clusterDomain: optional(Type.String({ pattern: "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", maxLength: 253 })),
    tls: optional(Type.Object({ mode: optional(Type.Union([Type.Literal("permissive"), Type.Literal("strict")])) }, strict)),
    access: optional(
      Type.Object({ mode: optional(Type.Union([Type.Literal("selected"), Type.Literal("strict"), Type.Literal("permissive")])) }, strict),
    ),
    split: optional(Type.Object({ unready: optional(Type.Union([Type.Literal("unavailable"), Type.Literal("rebalance")])) }, strict)),
    certificates: optional(Type.Object({ ttl: optional(Type.String({ pattern: "^[0-9]+(s|m|h)$" })) }, strict)),
    controlPlane: optional(
      Type.Object(
        {
          namespace: optional(namespaceName),
          /** HOST:PORT of delta ADS. */
          xds: optional(Type.String({ maxLength: 300 })),
          /** URL of the CA. */
          ca: optional(Type.String({ maxLength: 300 })),
          /** URL of the metrics server, without path. */
          metrics: optional(Type.String({ maxLength: 300 })),
        },
        strict,
      ),
    ),
    images: optional(
      Type.Object(
        {
          weft: optional(Type.String({ minLength: 1 })),
          pullPolicy: optional(Type.Union([Type.Literal("Always"), Type.Literal("IfNotPresent"), Type.Literal("Never")])),
          pullSecrets: optional(Type.Array(Type.String())),
        },
        strict,
      ),
    ),
    injection: optional(
      Type.Object(
        {
          excludedNamespaces: optional(Type.Array(namespaceName)),
          /** What the annotation weft.mesh/image may name: images, or beginnings of them that end with a `*`. */
          allowedImages: optional(Type.Array(Type.String({ minLength: 1, maxLength: 512 }))),
          nativeSidecars: optional(Type.Union([Type.Literal("auto"), Type.Literal("on"), Type.Literal("off")])),
          redirection: optional(Type.Union([Type.Literal("iptables"), Type.Literal("cni"), Type.Literal("none")])),
          concurrency: optional(Type.Integer({ minimum: 1, maximum: 64 })),
          /** Seconds for which a proxy that ends goes on serving open connections. */
          drainSeconds: optional(Type.Integer({ minimum: 1, maximum: 3600 })),
          logLevel: optional(Type.Union(logLevels.map((level) => Type.Literal(level)))),
          resources: optional(
            Type.Object({ proxy: optional(resources), agent: optional(resources), adapter: optional(resources), init: optional(resources) }, strict),
          ),
        },
        strict,
      ),
    ),
    monitor: optional(Type.Object({ flushInterval: optional(Type.String({ pattern: "^[0-9]+(ms|s)$" })) }, strict)),
  },
  strict,
);
export type MeshConfigFile = Static<typeof MeshConfigFile>;

type Amounts = Readonly<Record<"cpu" | "memory", string>>;
export interface ContainerResources {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

/** The mesh configuration with every default filled in. */
export interface MeshConfig {
  readonly trustDomain: string;
  readonly clusterDomain: string;
  readonly tls: { readonly mode: "permissive" | "strict" };
  readonly access: { readonly mode: "selected" | "strict" | "permissive" };
  readonly split: { readonly unready: "unavailable" | "rebalance" };
  /** Seconds. */
  readonly certificates: { readonly ttl: number };
  readonly controlPlane: { readonly namespace: string; readonly xds: string; readonly ca: string; readonly metrics: string };
  readonly images: { readonly weft: string; readonly pullPolicy: "Always" | "IfNotPresent" | "Never"; readonly pullSecrets: readonly string[]; };
  readonly injection: {
    readonly excludedNamespaces: readonly string[];
    readonly allowedImages: readonly string[];
    readonly nativeSidecars: "auto" | "on" | "off";
    readonly redirection: "iptables" | "cni" | "none";
    readonly concurrency: number;
    readonly drainSeconds: number;
    readonly logLevel: string;
    readonly resources: Readonly<Record<"proxy" | "agent" | "adapter" | "init", ContainerResources>>;
  };
  /** A protobuf duration (`5s`). */
  readonly monitor: { readonly flushInterval: string };
}
