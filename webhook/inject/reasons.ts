/**
 * Every outcome of an admission: one code, which is the metric label, log field, audit annotation, CLI output and a row
 * of webhook/README.md, and the sentence that explains it in general. `warn` = the person who creates the pod is told.
 */
export type Outcome = "injected" | "skipped" | "rejected";

interface Reason {
  readonly decision: Outcome;
  readonly warn: boolean;
  readonly sentence: string;
}

export const reasons = {
  injected: { decision: "injected", warn: false, sentence: "the pod is given its sidecars, or what a later webhook's change made necessary" },
  "namespace-not-opted-in": {
    decision: "skipped",
    warn: false,
    sentence: "neither the namespace nor the pod carries the label weft.mesh/inject",
  },
  "pod-opted-out": { decision: "skipped", warn: false, sentence: "the pod's label weft.mesh/inject is disabled" },
  "host-network": { decision: "skipped", warn: true, sentence: "the pod uses the node's network, which is not redirected" },
  "already-injected": { decision: "skipped", warn: false, sentence: "the pod has its sidecars and nothing is to be added" },
  "foreign-sidecar": { decision: "skipped", warn: true, sentence: "the pod carries the proxy of another mesh" },
  "no-resource-selects-pod": {
    decision: "skipped",
    warn: true,
    sentence: "no TLSConfig or Monitor selects the pod, and its namespace has no Canary or TrafficSplit",
  },
  "control-plane-pod": { decision: "skipped", warn: false, sentence: "the pod belongs to weft's own control plane" },
  "unsupported-os": { decision: "skipped", warn: true, sentence: "the pod does not run on Linux" },
  "namespace-excluded": { decision: "skipped", warn: true, sentence: "the namespace is one that is never captured" },
  "not-a-pod-creation": { decision: "skipped", warn: false, sentence: "the request is not the creation of a Pod" },
  "inject-value-invalid": { decision: "rejected", warn: false, sentence: "the label weft.mesh/inject has a value that is not known" },
  "annotations-invalid": { decision: "rejected", warn: false, sentence: "annotations under weft.mesh/ have values that cannot be used" },
  "proxy-uid-collision": { decision: "rejected", warn: false, sentence: "a container runs as the proxy's user, and would bypass the proxy" },
  "port-collision": { decision: "rejected", warn: false, sentence: "a container declares a port that a sidecar listens on" },
  "name-collision": { decision: "rejected", warn: false, sentence: "a container or volume has the name of one that is injected, or a container mounts one of these volumes" },
} as const satisfies Readonly<Record<string, Reason>>;

export type ReasonCode = keyof typeof reasons;

/** Why a pod is injected: kinds of resources that select it, or `always`. In the order in which they are told. */
export const ruleNames = ["tls-config", "monitor", "canary", "traffic-split", "always"] as const;
export type RuleName = (typeof ruleNames)[number];
