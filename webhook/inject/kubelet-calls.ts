/** What the kubelet calls in a container over the network: probes and lifecycle hooks. `exec` and `sleep` are none. */
import { asRecord, field, integerAt, recordAt, type Opaque } from "./opaque.ts";

export const probeKinds = ["startup", "liveness", "readiness"] as const;
export type ProbeKind = (typeof probeKinds)[number];
export const hookKinds = ["postStart", "preStop"] as const;
export type HookKind = (typeof hookKinds)[number];
export type CallKind = ProbeKind | HookKind;
/** In the order in which a container's calls are told and rewritten. */
export const callKinds: readonly CallKind[] = [...probeKinds, ...hookKinds];

export type Action = "httpGet" | "tcpSocket" | "grpc";

/** One call. `holder` is the user's probe or hook, `settings` what stands in it under the name of the action. */
export interface KubeletCall {
  readonly kind: CallKind;
  readonly action: Action;
  readonly holder: Opaque;
  readonly settings: Opaque;
  /** Seconds; Kubernetes' default is 1. undefined for a hook, which the kubelet waits for without an end of its own. */
  readonly timeout: number | undefined;
}

/** Everything that a probe or hook can do; the API server takes exactly one of them. */
const everyAction = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
const probeActions: readonly Action[] = ["httpGet", "tcpSocket", "grpc"];
const hookActions: readonly Action[] = ["httpGet", "tcpSocket"];

/** The calls of one container. One with two actions at once is left to the API server, which refuses it. */
export function readCalls(container: unknown): readonly KubeletCall[] {
  return callKinds.flatMap((kind) => {
    const holder = asRecord(holderPath(kind).reduce<unknown>(field, container));
    return holder === undefined ? [] : readCall(kind, holder);
  });
}

/** Where a container keeps the holder of a call: `livenessProbe`, or `lifecycle`, `preStop`. */
export function holderPath(kind: CallKind): readonly string[] {
  return isHook(kind) ? ["lifecycle", kind] : [`${kind}Probe`];
}

export function isHook(kind: CallKind): kind is HookKind {
  return hookKinds.some((hook) => hook === kind);
}

function readCall(kind: CallKind, holder: Opaque): KubeletCall[] {
  const [only, ...others] = everyAction.filter((name) => (field(holder, name) ?? undefined) !== undefined);
  const action = (isHook(kind) ? hookActions : probeActions).find((name) => name === only);
  if (action === undefined || others.length > 0 || asRecord(field(holder, action)) === undefined) return [];
  const timeout = isHook(kind) ? undefined : (integerAt(holder, "timeoutSeconds") ?? 1);
  return [{ kind, action, holder, settings: recordAt(holder, action), timeout }];
}
