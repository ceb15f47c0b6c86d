import { containers, statusAnnotation, volumes } from "../../src/std/well-known.ts";
import { evictAnnotation, removeVolume } from "./annotations.ts";
import { findAgent, findProbesVariable, readStatus, type Undo } from "./injected.ts";
import { holderPath, readCalls, type KubeletCall } from "./kubelet-calls.ts";
import { asRecord, field, textAt, type Opaque } from "./opaque.ts";
import { originalAction, parseProbes, probeKey, type ProbeEntries } from "./probe-entries.ts";
import { isRewritten, restoreHolder } from "./probes.ts";
import { readPod, type PodView } from "./pod.ts";

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

function restoreSpec(pod: PodView, entries: ProbeEntries, undo: Undo): Opaque {
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
  readonly entries: ProbeEntries;
  readonly undo: Undo;
}

/** The list without ours; a list that only ours made becomes what it was: absent, null or empty. */
function restoreList({ key, value, names, entries, undo }: ListInput): [string, unknown][] {
  const left = value.filter((item) => !names.includes(textAt(item, "name")));
  if (left.length === 0 && value.length > 0) return Object.hasOwn(undo.empty ?? {}, key) ? [[key, undo.empty?.[key]]] : [];
  return [[key, left.map((item) => restoreProbes(item, entries))]];
}

function restoreProbes(container: unknown, entries: ProbeEntries): unknown {
  return readCalls(container).reduce((restored, call) => restoreCall(restored, call, entries), container);
}

function restoreCall(container: unknown, call: KubeletCall, entries: ProbeEntries): unknown {
  const name = textAt(container, "name");
  const original = originalAction(entries, probeKey(name, call.kind));
  if (original === undefined || !isRewritten(name, call)) return container;
  return replaceAt(container, holderPath(call.kind), restoreHolder(call.holder, original.action, original.settings));
}

/** A copy with another value at the path; every key stays where it stands. */
function replaceAt(value: unknown, path: readonly string[], replacement: unknown): unknown {
  const [key, ...rest] = path;
  return key === undefined ? replacement : { ...asRecord(value), [key]: replaceAt(field(value, key), rest, replacement) };
}

function restoreMetadata(raw: Opaque, pod: PodView, undo: Undo): Opaque {
  const added = new Set([statusAnnotation, ...(undo.annotations ?? [])]);
  const annotations = Object.entries(pod.annotations)
    .filter(([key]) => !added.has(key))
    .map(([key, value]) => [key, key === evictAnnotation && undo.evictAppended === true && typeof value === "string" ? removeVolume(value) : value]);
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
