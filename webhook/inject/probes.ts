import { containers, ports } from "../../src/std/well-known.ts";
import { asRecord, field, integerAt, listAt, textAt, type Opaque } from "./opaque.ts";
import { probeKinds, type ContainerView, type HttpProbe, type PodView, type ProbeKind } from "./pod.ts";

/**
 * The kubelet asks in plaintext, from outside the mesh: a strict proxy would refuse it. So an HTTP probe asks the agent
 * (port 15020, never redirected), which asks the application inside the pod and gives back its status.
 *
 *   httpGet :http /healthz  ─►  httpGet :15020 /probes/CONTAINER/KIND  +  WEFT_PROBES of the agent
 */

/** One probe as the agent performs it; `original` is the user's httpGet, for `uninject`. */
export interface ProbeEntry {
  readonly scheme: "HTTP" | "HTTPS";
  readonly port: number;
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly timeoutSeconds: number;
  readonly original: Opaque;
}

export interface ProbeRewrite {
  readonly container: ContainerView;
  readonly kind: ProbeKind;
  readonly entry: ProbeEntry;
}

/** What is to be rewritten, and a sentence for each HTTP probe that has to stay as it is. */
export interface ProbePlan {
  readonly rewrites: readonly ProbeRewrite[];
  readonly warnings: readonly string[];
}

/** The HTTP probes of containers and native sidecars that the agent does not answer yet; ours excepted. */
export function planProbes(pod: PodView): ProbePlan {
  const rewrites: ProbeRewrite[] = [];
  const warnings: string[] = [];
  const probed = pod.containers.filter(({ list, sidecar, name }) => (list === "containers" || sidecar) && !isOurs(name));
  for (const container of probed) {
    for (const probe of container.probes.filter((candidate) => !isRewritten(container.name, candidate))) {
      const entry = toEntry(container, probe);
      if (typeof entry === "string") warnings.push(`${probe.kind} probe of '${container.name}' stays as it is: ${entry}`);
      else rewrites.push({ container, kind: probe.kind, entry });
    }
  }
  return { rewrites, warnings };
}

/** The key of a probe in WEFT_PROBES, and the end of its rewritten path. */
export function probeKey(container: string, kind: ProbeKind): string {
  return `${container}/${kind}`;
}

export function rewrittenHttpGet(container: string, kind: ProbeKind): { readonly path: string; readonly port: number; readonly scheme: "HTTP" } {
  return { path: `/probes/${probeKey(container, kind)}`, port: ports.agent, scheme: "HTTP" };
}

/** `$` is escaped because Kubernetes expands `$(NAME)` in environment values; the JSON stays the same. */
export function formatProbes(entries: Readonly<Record<string, ProbeEntry>>): string {
  return JSON.stringify(entries, (_key, value: unknown) => (typeof value === "bigint" ? Number(value) : value)).replaceAll("$", String.raw`\u0024`);
}

/** The inverse; empty for a text that is not ours. */
export function parseProbes(text: string): Readonly<Record<string, ProbeEntry>> {
  try {
    return (asRecord(JSON.parse(text)) ?? {}) as Readonly<Record<string, ProbeEntry>>;
  } catch {
    return {};
  }
}

export function isProbeField(name: string): boolean {
  return probeKinds.some((kind) => name === `${kind}Probe`);
}

export function isRewritten(container: string, probe: HttpProbe): boolean {
  const { path, port } = rewrittenHttpGet(container, probe.kind);
  return integerAt(probe.httpGet, "port") === port && textAt(probe.httpGet, "path") === path;
}

function isOurs(name: string): boolean {
  return Object.values<string>(containers).includes(name);
}

function toEntry(container: ContainerView, probe: HttpProbe): ProbeEntry | string {
  const host = textAt(probe.httpGet, "host");
  if (host !== "") return `it asks the host '${host}', not the pod`;
  const port = resolvePort(container, field(probe.httpGet, "port"));
  if (port === undefined) return `its port '${String(field(probe.httpGet, "port"))}' is none of the container's`;
  return {
    scheme: textAt(probe.httpGet, "scheme").toUpperCase() === "HTTPS" ? "HTTPS" : "HTTP",
    port,
    path: textAt(probe.httpGet, "path") || "/",
    headers: listAt(probe.httpGet, "httpHeaders").map((header) => ({ name: textAt(header, "name"), value: textAt(header, "value") })),
    timeoutSeconds: probe.timeout,
    original: probe.httpGet,
  };
}

/** As the kubelet does: a number, the name of a port of the same container, else a number in digits. */
function resolvePort(container: ContainerView, port: unknown): number | undefined {
  const named = typeof port === "string" ? container.ports.find(({ name }) => name === port)?.port : undefined;
  const number = named ?? (typeof port === "string" && /^[0-9]+$/.test(port) ? Number(port) : port);
  return typeof number === "number" && Number.isInteger(number) && number >= 1 && number <= 65_535 ? number : undefined;
}
