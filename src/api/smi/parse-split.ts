import { Type, type Static } from "typebox";
import { CanarySpec, TrafficSplitSpec, type Canary, type TrafficSplit } from "./split.ts";
import { RawMetadata, trimMetadata } from "../parse-metadata.ts";
import { isRecord } from "../check-schema.ts";

export const RawCanary = Type.Object({ metadata: RawMetadata, spec: CanarySpec });
export const RawTrafficSplit = Type.Object({ metadata: RawMetadata, spec: TrafficSplitSpec });

/** v1alpha1 has weights as quantities; those that are whole numbers mean the same in v1alpha4. */
export function upgradeTrafficSplit(raw: unknown): unknown {
  if (!isRecord(raw) || !isRecord(raw["spec"]) || !Array.isArray(raw["spec"]["backends"])) return raw;
  const backends = raw["spec"]["backends"].map((backend: unknown) => {
    const weight = isRecord(backend) ? backend["weight"] : undefined;
    return isRecord(backend) && typeof weight === "string" && /^[0-9]{1,15}$/.test(weight) ? { ...backend, weight: Number(weight) } : backend;
  });
  return { ...raw, spec: { ...raw["spec"], backends } };
}

export function trimCanary({ metadata, spec }: Static<typeof RawCanary>): Canary {
  return { kind: "Canary", metadata: trimMetadata(metadata, "namespaced"), spec };
}

export function trimTrafficSplit({ metadata, spec }: Static<typeof RawTrafficSplit>): TrafficSplit {
  return { kind: "TrafficSplit", metadata: trimMetadata(metadata, "namespaced"), spec };
}
