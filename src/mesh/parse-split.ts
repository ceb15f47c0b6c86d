import type { Problem, ProblemCode, Severity } from "../std/problem.ts";
import type { Canary, TrafficSplit } from "../api/smi/split.ts";
import { refOf } from "./object-ref.ts";
import { parseQuantity, scaleWeights, type Quantity } from "./quantity.ts";
import { resolveServiceName, type NameScope } from "./service-name.ts";
import type { ServiceKey, Split } from "./snapshot.ts";

export type ParsedSplit = { readonly split: Split } | { readonly problem: Problem };

/** What the object itself says, whatever else there is in the mesh; an unsound one is left out with a Problem. */
export function parseSplit(object: Canary | TrafficSplit, clusterDomain: string): ParsedSplit {
  const scope = { namespace: object.metadata.namespace, clusterDomain };
  const root = resolveServiceName(object.spec.service, scope);
  if (root === undefined) return left(object, "root-namespace", `spec.service ${JSON.stringify(object.spec.service)} is no Service of the namespace ${scope.namespace}; put the object into the Service's namespace.`);
  if ("matches" in object.spec && (object.spec.matches?.length ?? 0) > 0) return notInForce(object);
  const parsed = parseBackends(object, root, scope);
  if ("problem" in parsed) return parsed;
  const weights = scaleWeights(parsed.backends.map(({ quantity }) => quantity));
  const { kind, metadata } = object;
  const origin = { kind, namespace: metadata.namespace, name: metadata.name };
  return { split: { origin, root, backends: parsed.backends.map(({ service }, index) => ({ service, weight: weights[index] ?? 0 })) } };
}

interface Backend {
  readonly service: ServiceKey;
  readonly quantity: Quantity;
}

function parseBackends(object: Canary | TrafficSplit, root: ServiceKey, scope: NameScope): { readonly backends: readonly Backend[] } | { readonly problem: Problem } {
  const backends: Backend[] = [];
  for (const { service: name, weight } of object.spec.backends) {
    const service = resolveServiceName(name, scope);
    const told = `Backend ${JSON.stringify(name)}`;
    if (service === undefined) return left(object, "root-namespace", `${told} is no Service of the namespace ${scope.namespace}; backends stand in the root's namespace.`);
    if (service === root) return left(object, "backend-is-root", `${told} is the root itself; make a Service of its own for that version.`);
    if (backends.some((backend) => backend.service === service)) return left(object, "backend-duplicate", `${told} stands twice in spec.backends; remove one.`);
    const quantity = parseQuantity(weight);
    if (quantity === undefined) return left(object, "object-invalid", `${told} has the weight ${JSON.stringify(weight)}, which is no quantity such as 1 or 500m.`);
    backends.push({ service, quantity });
  }
  return { backends };
}

function notInForce(object: Canary | TrafficSplit): { readonly problem: Problem } {
  return { problem: problemOf(object, { severity: "warning", code: "matches-ignored" }, "A split with spec.matches is not in force yet; without it, all requests are split.") };
}

function left(object: Canary | TrafficSplit, code: ProblemCode, sentence: string): { readonly problem: Problem } {
  return { problem: problemOf(object, { severity: "error", code }, `${sentence} The object is left out.`) };
}

function problemOf(object: Canary | TrafficSplit, kind: { readonly severity: Severity; readonly code: ProblemCode }, sentence: string): Problem {
  return { ...kind, object: refOf(object), sentence };
}
