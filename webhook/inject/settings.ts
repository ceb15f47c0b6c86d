import type { MeshConfig } from "../../src/api/mesh-config.ts";
import { amountOf, type AmountKind } from "../../src/api/resource-amount.ts";
import { redirectionAnnotations, sidecars, type AnnotationValues, type RedirectionAnnotation, type ResourceAnnotation, type SidecarName } from "./annotation-table.ts";
import type { EnvironmentVariable } from "./annotation-values.ts";

/** Amounts that a sidecar declares; each may be missing. */
export interface SidecarResources {
  readonly requests: Readonly<Partial<Record<AmountKind, string>>>;
  readonly limits: Readonly<Partial<Record<AmountKind, string>>>;
}

/** How one pod is injected: the mesh configuration, and over it what annotations say. */
export interface PodSettings {
  /** undefined = as the mesh configuration and the version of Kubernetes say. */
  readonly nativeSidecars: boolean | undefined;
  readonly redirection: MeshConfig["injection"]["redirection"];
  /** Flags of `weft init`, by name; those that are not here keep their defaults. */
  readonly redirected: Readonly<Partial<Record<RedirectionAnnotation, readonly string[]>>>;
  readonly rewriteProbes: boolean;
  readonly image: string;
  readonly pullPolicy: string;
  readonly logLevel: string;
  readonly concurrency: number;
  readonly drainSeconds: number;
  readonly environment: readonly EnvironmentVariable[];
  readonly resources: Readonly<Record<SidecarName, SidecarResources>>;
}

export interface SettingsContext {
  readonly config: MeshConfig;
  /** The pod declares resources as a whole: ours might exceed them, and only those that annotations name are declared. */
  readonly podResources: boolean;
}

const bases = new WeakMap<MeshConfig, { readonly whole: PodSettings; readonly bare: PodSettings }>();

/** The settings of pods without annotations: one object for all of them, so that what is made of it can be kept. */
export function baseSettings({ config, podResources }: SettingsContext): PodSettings {
  const made = bases.get(config) ?? { whole: fromConfig(config), bare: { ...fromConfig(config), resources: noResources } };
  bases.set(config, made);
  return podResources ? made.bare : made.whole;
}

/** Settings with annotations over them, and a sentence for each value that the mesh configuration does not allow. */
export function annotatedSettings(values: AnnotationValues, context: SettingsContext): { readonly settings: PodSettings; readonly faults: readonly string[] } {
  const base = baseSettings(context);
  if (Object.keys(values).length === 0) return { settings: base, faults: [] };
  const resources = overlayResources(base.resources, values);
  const settings: PodSettings = {
    nativeSidecars: values["native-sidecars"],
    redirection: values.redirection ?? base.redirection,
    redirected: Object.fromEntries(redirectionAnnotations.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]]))),
    rewriteProbes: values["rewrite-probes"] ?? base.rewriteProbes,
    image: values.image ?? base.image,
    pullPolicy: values["image-pull-policy"] ?? base.pullPolicy,
    logLevel: values["log-level"] ?? base.logLevel,
    concurrency: values.concurrency ?? base.concurrency,
    drainSeconds: values["drain-seconds"] ?? base.drainSeconds,
    environment: values.env ?? base.environment,
    resources,
  };
  return { settings, faults: [...findForbiddenImage(values, context.config), ...findExcess(resources, values)] };
}

/** `weft init` takes 64; two are those of the sidecars. */
const maxExcludedPorts = 62;

/** The settings of a pod whose probes stay as they are: the kubelet must reach their ports past the proxy. */
export function excludePorts(settings: PodSettings, ports: readonly number[]): { readonly settings: PodSettings; readonly faults: readonly string[] } {
  if (ports.length === 0) return { settings, faults: [] };
  const excluded = [...new Set([...(settings.redirected["exclude-inbound-ports"] ?? []), ...ports.map(String)])];
  const excess = `weft.mesh/rewrite-probes is off, which leaves ${excluded.length} ports out of the redirection; at most ${maxExcludedPorts} can be`;
  const redirected = { ...settings.redirected, "exclude-inbound-ports": excluded };
  return { settings: { ...settings, redirected }, faults: excluded.length > maxExcludedPorts ? [excess] : [] };
}

function fromConfig({ injection, images }: MeshConfig): PodSettings {
  return {
    nativeSidecars: undefined,
    redirection: injection.redirection,
    redirected: {},
    rewriteProbes: true,
    image: images.weft,
    pullPolicy: images.pullPolicy,
    logLevel: injection.logLevel,
    concurrency: injection.concurrency,
    drainSeconds: injection.drainSeconds,
    environment: [],
    resources: injection.resources,
  };
}

const none: SidecarResources = { requests: {}, limits: {} };
const noResources = { proxy: none, agent: none, adapter: none, init: none } as const;
const amountKinds = ["cpu", "memory"] as const;

/** Each key on its own: naming one takes none of the others away. */
function overlayResources(base: PodSettings["resources"], values: AnnotationValues): PodSettings["resources"] {
  const overlaid = sidecars.map((sidecar): [SidecarName, SidecarResources] => {
    const { requests, limits } = base[sidecar];
    return [sidecar, { requests: { ...requests, ...named(values, sidecar, "request") }, limits: { ...limits, ...named(values, sidecar, "limit") } }];
  });
  return Object.fromEntries(overlaid) as PodSettings["resources"];
}

function named(values: AnnotationValues, sidecar: SidecarName, bound: "request" | "limit"): Partial<Record<AmountKind, string>> {
  return Object.fromEntries(
    amountKinds.flatMap((kind) => {
      const value = values[`${sidecar}-${kind}-${bound}`];
      return value === undefined ? [] : [[kind, value]];
    }),
  );
}

/** The API server would refuse the pod, in words that do not say whose the container is. */
function findExcess(resources: PodSettings["resources"], values: AnnotationValues): readonly string[] {
  return sidecars.flatMap((sidecar) =>
    amountKinds.flatMap((kind) => {
      const [request, limit] = [resources[sidecar].requests[kind], resources[sidecar].limits[kind]];
      if (request === undefined || limit === undefined || amountOf(request) <= amountOf(limit)) return [];
      return [`${describe(values, `${sidecar}-${kind}-request`, request)} is more than ${describe(values, `${sidecar}-${kind}-limit`, limit)}`];
    }),
  );
}

function describe(values: AnnotationValues, name: ResourceAnnotation, amount: string): string {
  return values[name] === undefined ? `the mesh configuration's ${name} (${amount})` : `weft.mesh/${name} (${amount})`;
}

/** The sidecars hold the pod's identity, and weft-init is root: which images may be these is the operator's to say. */
function findForbiddenImage({ image }: AnnotationValues, { images, injection }: MeshConfig): readonly string[] {
  if (image === undefined || image === images.weft || injection.allowedImages.some((allowed) => matches(image, allowed))) return [];
  return [`weft.mesh/image is ${image}, which injection.allowedImages of the mesh configuration does not allow`];
}

function matches(image: string, allowed: string): boolean {
  return allowed.endsWith("*") ? image.startsWith(allowed.slice(0, -1)) : image === allowed;
}
