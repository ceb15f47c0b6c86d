import { Type, type Static } from "typebox";
import { CanarySpec, TrafficSplitSpec, type Canary, type TrafficSplit } from "./split.ts";
import { parseServiceName } from "./service-name.ts";
import { RawMetadata, trimMetadata } from "../parse-metadata.ts";
import { isRecord } from "../check-schema.ts";
import type { Fault } from "../parse-kind.ts";

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

export function trimCanary({ metadata, spec }: Static<typeof RawCanary>): Canary | Fault {
  return findBackendFault(spec, metadata) ?? { kind: "Canary", metadata: trimMetadata(metadata, "namespaced"), spec };
}

export function trimTrafficSplit({ metadata, spec }: Static<typeof RawTrafficSplit>): TrafficSplit | Fault {
  return findBackendFault(spec, metadata) ?? { kind: "TrafficSplit", metadata: trimMetadata(metadata, "namespaced"), spec };
}

interface Backends {
  readonly service: string;
  readonly backends: readonly { readonly service: string }[];
}

/** A split to the root itself never ends; a backend that stands twice has two weights. Both are left out (DESIGN §7.8). */
function findBackendFault({ service: root, backends }: Backends, { namespace = "default" }: RawMetadata): Fault | undefined {
  const seen = new Set<string>();
  const rootKey = formatKey(root, namespace);
  for (const { service } of backends) {
    const key = formatKey(service, namespace);
    if (key === rootKey) {
      return { code: "backend-is-root", sentence: `The backend ${service} is the root service itself. Name the Services of its versions instead.` };
    }
    if (seen.has(key)) return { code: "backend-duplicate", sentence: `The backend ${service} stands twice. Keep one, with the sum of the weights.` };
    seen.add(key);
  }
  return undefined;
}

function formatKey(service: string, namespace: string): string {
  const name = parseServiceName(service, namespace);
  return name === undefined ? service : `${name.namespace}/${name.name}`;
}

