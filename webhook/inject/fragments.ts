import type { MeshConfig } from "../../src/api/mesh-config.ts";
import { adapterContainer, agentContainer, formatBootstrap, initContainer, podVolumes, proxyContainer, type SidecarInput, type SidecarVariant } from "./containers.ts";
import { baseSettings, type PodSettings } from "./settings.ts";

/** JSON texts of what a patch adds; made once per mesh configuration and variant, whatever the pod. */
export interface Fragments {
  /** undefined when the redirection is somebody else's (CNI) or nobody's. */
  readonly init: string | undefined;
  /** The agent is the only one that depends on the pod, by its probes (the JSON of WEFT_PROBES). */
  readonly agent: (probes: string) => string;
  readonly adapter: string | undefined;
  readonly proxy: string;
  readonly volumes: readonly string[];
}

export interface FragmentsInput {
  readonly variant: SidecarVariant;
  readonly settings: PodSettings;
}

/**
 * A lookup of the fragments of one configuration: made once for the pods without annotations, and anew for each of the
 * others. Throws a RangeError when `controlPlane.xds` is not HOST:PORT.
 */
export function createFragments(config: MeshConfig): (input: FragmentsInput) => Fragments {
  const made = new Map<string, Fragments>();
  const bootstraps = { monitored: formatBootstrap(config, true), plain: formatBootstrap(config, false) };
  return ({ variant, settings }) => {
    const input = { config, variant, settings, bootstrap: variant.monitored ? bootstraps.monitored : bootstraps.plain };
    const podResources = settings === baseSettings({ config, podResources: true });
    const shared = podResources || settings === baseSettings({ config, podResources: false });
    if (!shared) return buildFragments(input);
    const key = `${variant.native} ${variant.monitored} ${podResources}`;
    const fragments = made.get(key) ?? buildFragments(input);
    made.set(key, fragments);
    return fragments;
  };
}

/** Stands where the probes go; no name or value of ours contains it. */
const placeholder = "\u0000probes\u0000";
const volumes = podVolumes().map((volume) => JSON.stringify(volume));

function buildFragments(input: SidecarInput): Fragments {
  const { variant, settings } = input;
  const [head = "", tail = ""] = JSON.stringify(agentContainer(input, placeholder)).split(JSON.stringify(placeholder));
  return {
    init: settings.redirection === "iptables" ? JSON.stringify(initContainer(input)) : undefined,
    agent: (probes) => head + JSON.stringify(probes) + tail,
    adapter: variant.monitored ? JSON.stringify(adapterContainer(input)) : undefined,
    proxy: JSON.stringify(proxyContainer(input)),
    volumes,
  };
}
