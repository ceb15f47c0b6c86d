/**
 * The kubelet asks in plaintext, from outside the mesh: a strict proxy would refuse it. So its probes and hooks ask the
 * agent (port 15020, never redirected), which asks the application inside the pod and answers as the kubelet would see it.
 *
 *   httpGet :http /healthz  ─►  httpGet :15020 /probes/CONTAINER/KIND  +  WEFT_PROBES of the agent
 *   tcpSocket, grpc         ─►  the same; the action is renamed to httpGet where it stood
 *   lifecycle.preStop       ─►  httpGet :15020 /hooks/CONTAINER/preStop
 */
import { containers, ports } from "../../src/std/well-known.ts";
import { findAgent, findProbesVariable } from "./injected.ts";
import { isHook, type Action, type CallKind, type KubeletCall } from "./kubelet-calls.ts";
import { toJson } from "./operations.ts";
import { field, integerAt, showScalar, textAt, type Opaque } from "./opaque.ts";
import { probeKey, type ProbeEntry } from "./probe-entries.ts";
import type { ContainerView, PodView } from "./pod.ts";

export interface ProbeRewrite {
  readonly container: ContainerView;
  readonly kind: CallKind;
  readonly call: KubeletCall;
  readonly entry: ProbeEntry;
}

/** What is to be rewritten, and a sentence for each call that has to stay as it is. */
export interface ProbePlan {
  readonly rewrites: readonly ProbeRewrite[];
  readonly warnings: readonly string[];
  /** Instead of rewriting: where the kubelet must reach the application past the proxy. Sorted, each once. */
  readonly excludedPorts: readonly number[];
}

export interface ProbeChoice {
  /** false: calls stay as they are, and their ports are left out of the redirection. */
  readonly rewriteProbes: boolean;
}

/** Linux takes no environment variable of more than 128 KiB, and the agent would not start. */
const maxEntriesLength = 100_000;

/** The calls to containers and native sidecars that the agent does not answer yet; ours excepted. */
export function planProbes(pod: PodView, choice: ProbeChoice = { rewriteProbes: true }): ProbePlan {
  const rewrites: ProbeRewrite[] = [];
  const warnings: string[] = [];
  let length = presentLength(pod);
  for (const { container, call } of openCalls(pod)) {
    const entry = toEntry(container, call);
    if (typeof entry !== "string") length += lengthOf(container, entry);
    const obstacle = typeof entry === "string" ? entry : findExcess(length);
    if (obstacle !== undefined) warnings.push(`${nameCall(call.kind)} of '${container.name}' stays as it is: ${obstacle}`);
    else if (typeof entry !== "string") rewrites.push({ container, kind: call.kind, call, entry });
  }
  if (choice.rewriteProbes) return { rewrites, warnings, excludedPorts: [] };
  const excluded = new Set(rewrites.map(({ entry }) => entry.port));
  return { rewrites: [], warnings: [], excludedPorts: [...excluded].toSorted((a, b) => a - b) };
}

/** What the kubelet is told to ask instead. */
export function rewrittenHttpGet(container: string, kind: CallKind): { readonly path: string; readonly port: number; readonly scheme: "HTTP" } {
  return { path: `/${isHook(kind) ? "hooks" : "probes"}/${probeKey(container, kind)}`, port: ports.agent, scheme: "HTTP" };
}

/** The holder with our httpGet in the place of the user's action: every other key stays where it stands. */
export function rewriteHolder(container: string, { kind, holder, action }: KubeletCall): Opaque {
  return exchange(holder, { from: action, to: "httpGet", value: rewrittenHttpGet(container, kind) });
}

/** The inverse: the holder with the user's action in the place of our httpGet. */
export function restoreHolder(holder: Opaque, action: Action, settings: Opaque): Opaque {
  return exchange(holder, { from: "httpGet", to: action, value: settings });
}

export function isRewritten(container: string, { kind, action, settings }: KubeletCall): boolean {
  const { path, port } = rewrittenHttpGet(container, kind);
  return action === "httpGet" && integerAt(settings, "port") === port && textAt(settings, "path") === path;
}

interface Exchange {
  readonly from: string;
  readonly to: string;
  readonly value: unknown;
}

/** Renames a key in its place. Where the new one is there already, as `null` (templates write that), the two change roles. */
function exchange(holder: Opaque, { from, to, value }: Exchange): Opaque {
  if (from !== to && Object.hasOwn(holder, to)) return { ...holder, [to]: value, [from]: null };
  return Object.fromEntries(Object.entries(holder).map(([key, old]) => (key === from ? [to, value] : [key, old])));
}

interface OpenCall {
  readonly container: ContainerView;
  readonly call: KubeletCall;
}

function openCalls({ containers: all }: PodView): readonly OpenCall[] {
  return all
    .filter(({ list, sidecar, name }) => (list === "containers" || sidecar) && !isOurs(name))
    .flatMap((container) => container.calls.filter((call) => !isRewritten(container.name, call)).map((call) => ({ container, call })));
}

function isOurs(name: string): boolean {
  return Object.values<string>(containers).includes(name);
}

/** The entry, or why there can be none. */
function toEntry(container: ContainerView, call: KubeletCall): ProbeEntry | string {
  const { action, settings, timeout } = call;
  const host = textAt(settings, "host");
  if (host !== "") return `it asks the host '${host}', not the pod`;
  const port = resolvePort(container, field(settings, "port"));
  if (port === undefined) return `its port '${showScalar(field(settings, "port"))}' is none of the container's`;
  if (port === ports.agent) return `its port ${port} is the agent's own`;
  return { port, ...(timeout === undefined ? {} : { timeout }), [action]: settings };
}

/** As the kubelet does: a number, the name of a port of the same container, else a number in digits. */
function resolvePort(container: ContainerView, port: unknown): number | undefined {
  const named = typeof port === "string" ? container.ports.find(({ name }) => name === port)?.port : undefined;
  const number = named ?? (typeof port === "string" && /^[0-9]+$/.test(port) ? Number(port) : port);
  return typeof number === "number" && Number.isInteger(number) && number >= 1 && number <= 65_535 ? number : undefined;
}

function presentLength(pod: PodView): number {
  const agent = findAgent(pod);
  return agent === undefined ? 0 : (findProbesVariable(agent)?.value.length ?? 0);
}

/** In bytes at most: `$` grows to six, and whatever is not ASCII to three. */
function lengthOf(container: ContainerView, entry: ProbeEntry): number {
  const text = container.name + toJson(entry);
  return 32 + text.length * (/[^ -#%-~]/.test(text) ? 6 : 1);
}

function findExcess(length: number): string | undefined {
  return length > maxEntriesLength ? `the pod's probes are longer than ${maxEntriesLength / 1000} KB together` : undefined;
}

function nameCall(kind: CallKind): string {
  return isHook(kind) ? `${kind} hook` : `${kind} probe`;
}
