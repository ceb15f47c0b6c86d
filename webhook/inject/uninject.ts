import { containers, statusAnnotation, volumes } from "../../src/std/well-known.ts";
import { evictAnnotation, removeVolume } from "./annotations.ts";
import { findAgent, findProbesVariable, readStatus, type Undo } from "./injected.ts";
import { asRecord, field, textAt, type Opaque } from "./opaque.ts";
import { isRewritten, parseProbes, probeKey, type ProbeEntry } from "./probes.ts";
import { probeKinds, readPod, type PodView } from "./pod.ts";

type Entries = Readonly<Record<string, ProbeEntry>>;

/**
 * The exact inverse of injection, for a pod or pod template: `uninject(inject(p))` is `p`, key for key. A pod that does
 * not carry our sidecars is returned as it is. The argument is not changed.
 */
export function uninject(raw: Opaque): Opaque {
  const pod = readPod(raw);
  const agent = pod === undefined ? undefined : findAgent(pod);
  if (pod === undefined || agent === undefined) return raw;
  const { undo } = readStatus(pod.annotations);
  const entries = parseProbes(findProbesVariable(agent)?.value ?? "");
  return restoreMetadata({ ...raw, spec: restoreSpec(pod, entries, undo) }, pod, undo);
}

function restoreSpec(pod: PodView, entries: Entries, undo: Undo): Opaque {
  const ourContainers = Object.values<string>(containers);
  const gone: Readonly<Record<string, readonly string[]>> = {
    initContainers: ourContainers,
    containers: ourContainers,
    volumes: Object.values(volumes),
    imagePullSecrets: undo.pullSecrets ?? [],
  };
  const kept = Object.entries(pod.spec).flatMap(([key, value]): [string, unknown][] => {
    const names = Object.hasOwn(gone, key) ? gone[key] : undefined;
    return names === undefined || !Array.isArray(value) ? [[key, value]] : restoreList({ key, value, names, entries, undo });
  });
  return Object.fromEntries(kept);
}

interface ListInput {
  readonly key: string;
  readonly value: readonly unknown[];
  readonly names: readonly string[];
  readonly entries: Entries;
  readonly undo: Undo;
}

/** The list without ours; a list that only ours made becomes what it was: absent, null or empty. */
function restoreList({ key, value, names, entries, undo }: ListInput): [string, unknown][] {
  const left = value.filter((item) => !names.includes(textAt(item, "name")));
  if (left.length === 0 && value.length > 0) return Object.hasOwn(undo.empty ?? {}, key) ? [[key, undo.empty?.[key]]] : [];
  return [[key, left.map((item) => restoreProbes(item, entries))]];
}

function restoreProbes(container: unknown, entries: Entries): unknown {
  const name = textAt(container, "name");
  return probeKinds.reduce((restored: unknown, kind) => {
    const probe = asRecord(field(restored, `${kind}Probe`));
    const httpGet = asRecord(field(probe, "httpGet"));
    const key = probeKey(name, kind);
    const original = Object.hasOwn(entries, key) ? entries[key]?.original : undefined;
    if (httpGet === undefined || original === undefined || !isRewritten(name, { kind, httpGet, timeout: 1 })) return restored;
    return { ...asRecord(restored), [`${kind}Probe`]: { ...probe, httpGet: original } };
  }, container);
}

function restoreMetadata(raw: Opaque, pod: PodView, undo: Undo): Opaque {
  const added = new Set([statusAnnotation, ...(undo.annotations ?? [])]);
  const annotations = Object.entries(pod.annotations)
    .filter(([key]) => !added.has(key))
    .map(([key, value]) => [key, key === evictAnnotation && undo.evictAppended === true ? removeVolume(String(value)) : value]);
  const before = asRecord(field(raw, "metadata")) ?? {};
  const metadata = annotations.length > 0 ? { ...before, annotations: Object.fromEntries(annotations) } : withoutAnnotations(before, undo);
  const { metadata: _metadata, ...rest } = raw;
  if (Object.keys(metadata).length > 0) return { ...raw, metadata };
  if (Object.hasOwn(undo.empty ?? {}, "metadata")) return { ...raw, metadata: undo.empty?.["metadata"] };
  return undo.noMetadata === true ? rest : { ...raw, metadata };
}

function withoutAnnotations(metadata: Opaque, undo: Undo): Opaque {
  const { annotations: _annotations, ...rest } = metadata;
  return Object.hasOwn(undo.empty ?? {}, "annotations") ? { ...metadata, annotations: undo.empty?.["annotations"] } : rest;
}
