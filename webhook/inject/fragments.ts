import type { MeshConfig } from "../../src/api/mesh-config.ts";
import { adapterContainer, agentContainer, initContainer, podVolumes, proxyContainer, type SidecarVariant } from "./containers.ts";

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

/** A lookup of the fragments of one configuration. Throws a RangeError when `controlPlane.xds` is not HOST:PORT. */
export function createFragments(config: MeshConfig): (variant: SidecarVariant) => Fragments {
  const made = new Map<string, Fragments>();
  return (variant) => {
    const key = `${variant.native} ${variant.monitored} ${variant.podResources}`;
    const fragments = made.get(key) ?? buildFragments(config, variant);
    made.set(key, fragments);
    return fragments;
  };
}

/** Stands where the probes go; no name or value of ours contains it. */
const placeholder = "\u0000probes\u0000";

function buildFragments(config: MeshConfig, variant: SidecarVariant): Fragments {
  const [head = "", tail = ""] = JSON.stringify(agentContainer(config, variant, placeholder)).split(JSON.stringify(placeholder));
  return {
    init: config.injection.redirection === "iptables" ? JSON.stringify(initContainer(config, variant)) : undefined,
    agent: (probes) => head + JSON.stringify(probes) + tail,
    adapter: variant.monitored ? JSON.stringify(adapterContainer(config, variant)) : undefined,
    proxy: JSON.stringify(proxyContainer(config, variant)),
    volumes: podVolumes().map((volume) => JSON.stringify(volume)),
  };
}
