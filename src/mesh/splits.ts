import { compareText } from "../std/sort.ts";
import { compareProblems, formatObject, type Problem } from "../std/problem.ts";
import type { Canary, TrafficSplit } from "../api/smi/split.ts";
import { objectKey, type MeshObjects } from "../api/objects.ts";
import { parseSplit } from "./parse-split.ts";
import type { MeshService, ServiceKey, Split } from "./snapshot.ts";

export interface SplitContext {
  readonly objects: MeshObjects;
  readonly services: ReadonlyMap<ServiceKey, MeshService>;
  readonly clusterDomain: string;
}

/**
 * The split in force for each root: the oldest sound one (DESIGN §7, rules 7 to 9). Canary and TrafficSplit are one thing.
 */
export function collectSplits(context: SplitContext): { readonly splits: ReadonlyMap<ServiceKey, Split>; readonly problems: readonly Problem[] } {
  const splits = new Map<ServiceKey, Split>();
  const problems: Problem[] = [];
  for (const object of [...context.objects.Canary.values(), ...context.objects.TrafficSplit.values()].toSorted(compareAge)) {
    const parsed = parseSplit(object, context.clusterDomain);
    if ("problem" in parsed) problems.push(parsed.problem);
    else problems.push(...admit(parsed.split, splits, context.services));
  }
  for (const split of splits.values()) problems.push(...checkBackends(split, context.services, splits));
  return { splits, problems: problems.toSorted(compareProblems) };
}

/** Oldest first; RFC 3339 in UTC, as Kubernetes writes it, sorts as text. Objects of files have no age and go by name. */
function compareAge(a: Canary | TrafficSplit, b: Canary | TrafficSplit): number {
  return (
    compareText(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
    compareText(objectKey(a.metadata), objectKey(b.metadata)) ||
    compareText(a.kind, b.kind)
  );
}

function admit(split: Split, splits: Map<ServiceKey, Split>, services: ReadonlyMap<ServiceKey, MeshService>): readonly Problem[] {
  const object = split.origin;
  const older = splits.get(split.root);
  if (older !== undefined) {
    const sentence = `${formatObject(older.origin)} is older and in force for Service ${split.root}; delete one of the two.`;
    return [{ severity: "warning", code: "root-taken", object, sentence }];
  }
  if (!services.has(split.root)) {
    const sentence = `Service ${split.root}, whose traffic is to be split, does not exist; create it or correct spec.service.`;
    return [{ severity: "warning", code: "root-missing", object, sentence }];
  }
  splits.set(split.root, split);
  return [];
}

/** What is odd about a split that is in force. */
function checkBackends(split: Split, services: ReadonlyMap<ServiceKey, MeshService>, splits: ReadonlyMap<ServiceKey, Split>): readonly Problem[] {
  const rootPorts = services.get(split.root)?.ports ?? [];
  const found = split.backends.flatMap(({ service }) => {
    const backend = services.get(service);
    const missing = rootPorts.filter(({ number }) => backend?.ports.every((port) => port.number !== number));
    return backend === undefined ? [backendMissing(split, service, services)] : [...portsMissing(split, backend, missing.map(({ number }) => number)), ...backendIsSplit(split, service, splits)];
  });
  return [...found, ...weightsZero(split)];
}

function backendMissing(split: Split, service: ServiceKey, services: ReadonlyMap<ServiceKey, MeshService>): Problem {
  const isShared = split.backends.some((backend) => services.has(backend.service));
  const sentence = isShared
    ? `Backend Service ${service} does not exist and takes no part; the other backends take its share until it is created.`
    : `Backend Service ${service} does not exist, and no other backend does: requests to Service ${split.root} are answered with 503; create it.`;
  return { severity: "warning", code: "backend-missing", object: split.origin, sentence };
}

function portsMissing(split: Split, backend: MeshService, numbers: readonly number[]): readonly Problem[] {
  return numbers.map((number) => {
    const sentence = `Backend Service ${backend.key} has no TCP port ${number}, which the root ${split.root} has, and takes no part on it; add the port to the backend.`;
    return { severity: "warning", code: "backend-port-missing", object: split.origin, sentence };
  });
}

function backendIsSplit(split: Split, service: ServiceKey, splits: ReadonlyMap<ServiceKey, Split>): readonly Problem[] {
  const other = splits.get(service);
  if (other === undefined) return [];
  const sentence = `Backend Service ${service} is itself the root of ${formatObject(other.origin)}; it is used as the plain Service, because splits are not hierarchical.`;
  return [{ severity: "warning", code: "backend-is-split", object: split.origin, sentence }];
}

function weightsZero(split: Split): readonly Problem[] {
  if (split.backends.some(({ weight }) => weight > 0)) return [];
  const sentence = `All weights are zero, so requests to Service ${split.root} are answered with 503; give one backend a weight.`;
  return [{ severity: "error", code: "weights-zero", object: split.origin, sentence }];
}
