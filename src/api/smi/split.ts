import { Type, type Static } from "typebox";
import type { Meta } from "../kubernetes.ts";

/** A Kubernetes quantity (`1`, `500m`, `0m`, `1e3`): Canary and TrafficSplit v1alpha1. */
export const QuantityWeight = Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: "^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][0-9]+|m|k|M|G)?$", maxLength: 32 })]);

const serviceName = Type.String({ minLength: 1, maxLength: 253, description: "A Service of the same namespace." });

/** `spec` of Canary (seed 000): the root Service and the Services that its clients' traffic goes to, by weight. */
export const CanarySpec = Type.Object({
  service: serviceName,
  backends: Type.Array(Type.Object({ service: serviceName, weight: QuantityWeight }), { minItems: 1, maxItems: 64 }),
});
export type CanarySpec = Static<typeof CanarySpec>;

/** `spec` of TrafficSplit v1alpha4; `matches` names HTTPRouteGroups. */
export const TrafficSplitSpec = Type.Object({
  service: serviceName,
  backends: Type.Array(Type.Object({ service: serviceName, weight: Type.Integer({ minimum: 0 }) }), { minItems: 1, maxItems: 64 }),
  matches: Type.Optional(
    Type.Array(Type.Object({ kind: Type.Literal("HTTPRouteGroup"), name: Type.String({ minLength: 1 }), apiGroup: Type.Optional(Type.String()) })),
  ),
});
export type TrafficSplitSpec = Static<typeof TrafficSplitSpec>;

export interface Canary {
  readonly kind: "Canary";
  readonly metadata: Meta;
  readonly spec: CanarySpec;
}

export interface TrafficSplit {
  readonly kind: "TrafficSplit";
  readonly metadata: Meta;
  readonly spec: TrafficSplitSpec;
}
