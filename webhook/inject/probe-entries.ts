/**
 * WEFT_PROBES, an environment variable of the agent: the user's own probes and hooks, in JSON, by `CONTAINER/KIND`.
 * The agent performs them by it, and `uninject` restores them from it: the action is the user's object, untouched.
 */
import type { Action, CallKind } from "./kubelet-calls.ts";
import { toJson } from "./operations.ts";
import { asRecord, field, type Opaque } from "./opaque.ts";

/** One call as the agent performs it: the user's action, and what of it depends on the rest of the container. */
export type ProbeEntry = {
  /** The port of the action, its name looked up. */
  readonly port: number;
  /** Seconds until the kubelet gives up; a hook has none. */
  readonly timeout?: number;
} & { readonly [action in Action]?: Opaque };

export type ProbeEntries = Readonly<Record<string, ProbeEntry>>;

export function probeKey(container: string, kind: CallKind): string {
  return `${container}/${kind}`;
}

/** `$` is escaped because Kubernetes expands `$(NAME)` in environment values; the JSON stays the same. */
export function formatProbes(entries: ProbeEntries): string {
  return toJson(entries).replaceAll("$", String.raw`\u0024`);
}

/** The inverse; empty for a text that is not ours. */
export function parseProbes(text: string): ProbeEntries {
  try {
    return (asRecord(JSON.parse(text)) ?? {}) as ProbeEntries;
  } catch {
    return {};
  }
}

/** The user's action of an entry, by its name. */
export function originalAction(entries: ProbeEntries, key: string): { readonly action: Action; readonly settings: Opaque } | undefined {
  const entry = Object.hasOwn(entries, key) ? entries[key] : undefined;
  for (const action of ["httpGet", "tcpSocket", "grpc"] as const) {
    const settings = asRecord(field(entry, action));
    if (settings !== undefined) return { action, settings };
  }
  return undefined;
}
