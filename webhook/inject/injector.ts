import type { MeshConfig } from "../../src/api/mesh-config.ts";
import { decide, type Decision } from "./decide.ts";
import type { NamespaceFacts } from "./facts.ts";
import { createFragments } from "./fragments.ts";
import { buildPatch } from "./patch.ts";
import { readPod } from "./pod.ts";
import { baseSettings } from "./settings.ts";

/** A pod and what is known around it. */
export interface InjectionRequest {
  /** The whole pod, or a pod template. */
  readonly pod: unknown;
  readonly namespace: string;
  readonly facts: NamespaceFacts;
}

export interface Injection {
  readonly decision: Decision;
  /** JSON text of RFC 6902 operations; `[]` for nothing. */
  readonly patch: string;
  readonly rewrites: readonly string[];
  readonly warnings: readonly string[];
}

/** Decides and writes the patch: what the webhook and the command line share, byte for byte. */
export interface Injector {
  /** undefined when `pod` has no `spec`, and so is no pod. */
  inject(request: InjectionRequest): Injection | undefined;
}

/** An injector for one mesh configuration. Throws a RangeError when `controlPlane.xds` is not HOST:PORT. */
export function createInjector(config: MeshConfig, kubernetesVersion: string): Injector {
  const fragments = createFragments(config);
  const native = useNativeSidecars(config, kubernetesVersion);
  fragments({ variant: { native, monitored: false }, settings: baseSettings({ config, podResources: false }) });
  return {
    inject({ pod: raw, namespace, facts }) {
      const pod = readPod(raw);
      if (pod === undefined) return undefined;
      const decision = decide({ pod, namespace: { name: namespace, labels: facts.labels, annotations: facts.annotations }, resources: facts.resources, config });
      const { settings } = decision;
      const variant = { native: settings.nativeSidecars ?? native, monitored: decision.rules.includes("monitor") };
      const patch = buildPatch({ pod, decision, config, native: variant.native, fragments: fragments({ variant, settings }) });
      return { decision, patch: patch.text, rewrites: patch.rewrites, warnings: [...decision.warnings, ...patch.warnings] };
    },
  };
}

/** `auto` = from Kubernetes 1.29, where they are on by default; a version that cannot be read counts as newer. */
function useNativeSidecars({ injection }: MeshConfig, version: string): boolean {
  if (injection.nativeSidecars !== "auto") return injection.nativeSidecars === "on";
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return major === undefined || Number(major) > 1 || Number(minor) >= 29;
}
