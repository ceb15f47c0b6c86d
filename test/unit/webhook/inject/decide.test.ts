import { describe, expect, it } from "vitest";
import { decide } from "../../../../webhook/inject/decide.ts";
import type { NamespaceFacts } from "../../../../webhook/inject/facts.ts";
import { readPod } from "../../../../webhook/inject/pod.ts";
import { canary, config, facts, monitor, tlsConfig, trafficSplit } from "./mesh-fixture.ts";

const app = { name: "app", image: "app:1" };
const selected = facts({ tlsConfigs: [tlsConfig("my-tls", { app: "books" })] });

function decideOn(spec: object, labels: Record<string, string>, around: NamespaceFacts & { readonly name?: string } = selected) {
  const pod = readPod({ metadata: { name: "p", labels: { app: "books", ...labels } }, spec: { containers: [app], ...spec } });
  if (pod === undefined) throw new Error("no pod");
  return decide({ pod, namespace: { ...around, name: around.name ?? "shop" }, resources: around.resources, config });
}

describe("who is injected", () => {
  const always = facts({}, { "weft.mesh/inject": "always" });
  const sidecars = [
    { name: "weft-agent", command: ["weft", "agent"], env: [{ name: "WEFT_PROBES", value: "{}" }] },
    { name: "weft-proxy", command: ["envoy"] },
  ];
  const rows: readonly (readonly [string, object, Record<string, string>, NamespaceFacts & { readonly name?: string }, string])[] = [
    ["a TLSConfig selects it", {}, {}, selected, "injected"],
    ["nobody opted in", {}, {}, facts({}, {}), "namespace-not-opted-in"],
    ["the pod opted in alone", {}, { "weft.mesh/inject": "always" }, facts({}, {}), "injected"],
    ["the pod opted out of a namespace that says always", {}, { "weft.mesh/inject": "disabled" }, always, "pod-opted-out"],
    ["the pod's enabled is less than the namespace's always", {}, { "weft.mesh/inject": "enabled" }, always, "no-resource-selects-pod"],
    ["the namespace's value is unknown", {}, {}, facts({}, { "weft.mesh/inject": "disabled" }), "inject-value-invalid"],
    ["the pod's value is unknown, before any skip", { hostNetwork: true }, { "weft.mesh/inject": "yes" }, selected, "inject-value-invalid"],
    ["the pod's own word counts, the namespace's bad one does not", {}, { "weft.mesh/inject": "always" }, facts({}, { "weft.mesh/inject": "" }), "injected"],
    ["it uses the node's network", { hostNetwork: true }, {}, selected, "host-network"],
    ["it has our sidecars", { initContainers: sidecars }, {}, selected, "already-injected"],
    ["it has our sidecars as ordinary containers", { containers: [...sidecars, app] }, {}, selected, "already-injected"],
    ["Istio is there", { containers: [app, { name: "istio-proxy" }] }, {}, selected, "foreign-sidecar"],
    ["Linkerd is there, natively", { initContainers: [{ name: "linkerd-proxy", restartPolicy: "Always" }] }, {}, selected, "foreign-sidecar"],
    ["Kuma is there", { containers: [{ name: "kuma-sidecar" }, app] }, {}, selected, "foreign-sidecar"],
    ["Consul is there", { containers: [{ name: "consul-dataplane" }, app] }, {}, selected, "foreign-sidecar"],
    ["OSM is there", { initContainers: [{ name: "osm-init" }], containers: [{ name: "envoy" }, app] }, {}, selected, "foreign-sidecar"],
    ["an Envoy of the user's own", { containers: [{ name: "envoy" }, app] }, {}, selected, "injected"],
    ["nothing selects it", {}, { app: "other" }, selected, "no-resource-selects-pod"],
    ["it is ours", {}, { "app.kubernetes.io/part-of": "weft" }, selected, "control-plane-pod"],
    ["it runs on Windows", { os: { name: "windows" } }, {}, selected, "unsupported-os"],
    ["it wants a Windows node", { nodeSelector: { "kubernetes.io/os": "windows" } }, {}, selected, "unsupported-os"],
    ["the namespace is Kubernetes' own", {}, {}, { ...always, name: "kube-system" }, "namespace-excluded"],
    ["the namespace is the control plane's", {}, {}, { ...always, name: "weft-system" }, "namespace-excluded"],
    ["the namespace is excluded by configuration", {}, {}, { ...always, name: "untouchable" }, "namespace-excluded"],
    ["a container runs as the proxy's user", { containers: [{ ...app, securityContext: { runAsUser: 1337 } }] }, {}, selected, "proxy-uid-collision"],
    ["the pod runs as the proxy's user", { securityContext: { runAsUser: 1337 } }, {}, selected, "proxy-uid-collision"],
    ["the container's user counts, not the pod's", { securityContext: { runAsUser: 1337 }, containers: [{ ...app, securityContext: { runAsUser: 7 } }] }, {}, selected, "injected"],
    ["a port is ours", { containers: [{ ...app, ports: [{ containerPort: 15001 }] }] }, {}, selected, "port-collision"],
    ["statsd by UDP is ours", { containers: [{ ...app, ports: [{ containerPort: 9125, protocol: "UDP" }] }] }, {}, selected, "port-collision"],
    ["another protocol is free", { containers: [{ ...app, ports: [{ containerPort: 15001, protocol: "UDP" }] }] }, {}, selected, "injected"],
    ["a container has our name", { containers: [{ ...app, name: "weft-proxy" }] }, {}, selected, "name-collision"],
    ["a volume has our name", { volumes: [{ name: "weft-run", emptyDir: {} }] }, {}, selected, "name-collision"],
    ["a skip comes before a collision", { hostNetwork: true, securityContext: { runAsUser: 1337 } }, {}, selected, "host-network"],
  ];

  for (const [name, spec, labels, around, code] of rows) {
    it(`${code}: ${name}`, () => expect(decideOn(spec, labels, around).code).toBe(code));
  }

  it("tells every rule that holds and the resources behind it", () => {
    const around = facts(
      {
        tlsConfigs: [tlsConfig("other", { app: "none" }), tlsConfig("tls", { app: "books" })],
        monitors: [monitor("all", {})],
        canaries: [canary("books")],
        trafficSplits: [trafficSplit("split")],
      },
      { "weft.mesh/inject": "always" },
    );

    const decision = decideOn({}, {}, around);

    expect(decision.rules).toEqual(["tls-config", "monitor", "canary", "traffic-split", "always"]);
    expect(decision.resources.map(({ kind, name }) => `${kind} ${name}`)).toEqual(["TLSConfig tls", "Monitor all", "Canary books", "TrafficSplit split"]);
  });

  it("names the bad value, its bearer and the good ones", () => {
    const decision = decideOn({}, { "weft.mesh/inject": "yes" });

    expect(decision.sentence).toBe("the label weft.mesh/inject of the pod is 'yes'; it may be always or enabled or disabled");
  });

  it("suggests a name that is free", () => {
    const decision = decideOn({ containers: [{ name: "weft-proxy" }, { name: "app-weft-proxy" }] }, {});

    expect(decision.sentence).toBe("container 'weft-proxy' (rename it, 'app-weft-proxy-2' is free): the name is one that injection uses");
  });

  it("names every container with the proxy's user", () => {
    const decision = decideOn({ securityContext: { runAsUser: 1337 }, initContainers: [{ name: "prepare" }] }, {});

    expect(decision.sentence).toBe("containers 'prepare', 'app' would run as UID 1337, which is the proxy's, and so bypass it; set another runAsUser");
  });

  it("keeps a trace that ends with the step that decided", () => {
    const { trace } = decideOn({ hostNetwork: true }, {});

    expect(trace.map(({ step, holds }) => `${step}:${holds}`)).toEqual(["opt-in:true", "namespace-not-opted-in:false", "pod-opted-out:false", "host-network:true"]);
  });
});
