import { containers, statusAnnotation } from "../../src/std/well-known.ts";
import { asRecord, field, listAt, textAt, type Opaque } from "./opaque.ts";
import type { ContainerView, PodView } from "./pod.ts";

/** What a patch did that cannot be read from the pod itself; kept in the status annotation for `uninject` alone. */
export interface Undo {
  /** There was no `metadata` at all. */
  readonly noMetadata?: boolean;
  /** What stood in place of a map or list that was empty: `null`, `{}` or `[]`, by name. Absent ones are not here. */
  readonly empty?: Readonly<Record<string, unknown>>;
  /** Annotations that were added, the status annotation excepted. */
  readonly annotations?: readonly string[];
  /** Our volume was appended to the value of the cluster autoscaler's annotation. */
  readonly evictAppended?: boolean;
  /** Image pull secrets that were added. */
  readonly pullSecrets?: readonly string[];
}

/** The value of the annotation weft.mesh/status: for people and `uninject`, never trusted. */
export interface InjectionStatus {
  readonly version: 1;
  readonly rules: readonly string[];
  readonly undo: Undo;
}

export const probesVariable = "WEFT_PROBES";

export function agentCommand(): readonly string[] {
  return ["weft", "agent"];
}

/** The agent of a pod that carries our sidecars. Told by the containers themselves: annotations are copied around. */
export function findAgent(pod: PodView): ContainerView | undefined {
  const hasProxy = pod.containers.some(({ name, command }) => name === containers.proxy && command[0] === "envoy");
  if (!hasProxy) return undefined;
  const [program, command] = agentCommand();
  return pod.containers.find((container) => container.name === containers.agent && container.command[0] === program && container.command[1] === command);
}

/** The position and value of WEFT_PROBES in the agent's environment. */
export function findProbesVariable(agent: ContainerView): { readonly index: number; readonly value: string } | undefined {
  const index = agent.env.findIndex((variable) => textAt(variable, "name") === probesVariable);
  return index < 0 ? undefined : { index, value: textAt(agent.env[index], "value") };
}

/** Reads the status annotation; whatever is not as we write it counts as absent. */
export function readStatus(annotations: Opaque): InjectionStatus {
  const parsed = parseJson(textAt(annotations, statusAnnotation));
  const undo = asRecord(field(parsed, "undo"));
  return { version: 1, rules: texts(listAt(parsed, "rules")), undo: undo === undefined ? {} : readUndo(undo) };
}

function readUndo(undo: Opaque): Undo {
  const empty = asRecord(field(undo, "empty"));
  return {
    noMetadata: field(undo, "noMetadata") === true,
    ...(empty === undefined ? {} : { empty }),
    annotations: texts(listAt(undo, "annotations")),
    evictAppended: field(undo, "evictAppended") === true,
    pullSecrets: texts(listAt(undo, "pullSecrets")),
  };
}

function texts(items: readonly unknown[]): string[] {
  return items.filter((item): item is string => typeof item === "string");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
