import fastCheck from "fast-check";
import jsonPatch from "fast-json-patch";
import { describe, expect, it } from "vitest";
import type { MeshConfig } from "../../../../src/api/mesh-config.ts";
import { createInjector } from "../../../../webhook/inject/injector.ts";
import type { NamespaceFacts } from "../../../../webhook/inject/facts.ts";
import { uninject } from "../../../../webhook/inject/uninject.ts";
import { config, facts, monitor } from "./mesh-fixture.ts";
import { anyPod, withProbe } from "./pod-arbitrary.ts";

type Json = Readonly<Record<string, unknown>>;
const all = facts({ monitors: [monitor("all", {})] });
const ordinary: MeshConfig = { ...config, images: { ...config.images, pullSecrets: ["regcred"] }, injection: { ...config.injection, nativeSidecars: "off" } };

function inject(pod: Json, around: NamespaceFacts = all, mesh: MeshConfig = config) {
  const injection = createInjector(mesh, "1.36").inject({ pod, namespace: "shop", facts: around });
  if (injection === undefined) throw new Error("no pod");
  return { ...injection, pod: apply(pod, injection.patch) };
}

function apply(pod: Json, patch: string): Json {
  return jsonPatch.applyPatch(structuredClone(pod), JSON.parse(patch), true).newDocument;
}

function containersOf(pod: Json, list: string): { readonly name: string }[] {
  return (pod["spec"] as Record<string, { readonly name: string }[] | undefined>)[list] ?? [];
}

function without(object: object | undefined, keys: ReadonlySet<string>): object {
  return Object.fromEntries(Object.entries(object ?? {}).filter(([key]) => !keys.has(key)));
}

function podWithEnvironment(count: number): Json {
  const env = Array.from({ length: count }, (_, index) => ({ name: `V${index}`, value: "x".repeat(100) }));
  return { metadata: { name: "p" }, spec: { containers: [{ name: "app", image: "i", env }], volumes: [{ name: "v" }] } };
}

describe("the patch of any pod", () => {
  for (const [name, mesh] of [["native sidecars", config], ["ordinary containers", ordinary]] as const) {
    it(`applies, and uninject takes it back exactly (${name})`, () => {
      fastCheck.assert(
        fastCheck.property(anyPod(), (pod) => {
          const before = structuredClone(pod);

          const injected = inject(pod, all, mesh);

          expect(injected.decision.code).toBe("injected");
          expect(uninject(injected.pod)).toStrictEqual(before);
          expect(containersOf(uninject(injected.pod), "containers").map((item) => JSON.stringify(item))).toEqual(containersOf(before, "containers").map((item) => JSON.stringify(item)));
          expect(pod).toStrictEqual(before);
        }),
        { numRuns: 300 },
      );
    });

    it(`adds nothing to a pod that is injected (${name})`, () => {
      fastCheck.assert(
        fastCheck.property(anyPod(), (pod) => {
          const again = inject(inject(pod, all, mesh).pod, all, mesh);

          expect(again.decision.code).toBe("already-injected");
          expect(again.patch).toBe("[]");
        }),
      );
    });
  }

  it("leaves the user's containers as they are, but for the rewrites it names", () => {
    fastCheck.assert(
      fastCheck.property(anyPod(), (pod) => {
        const injected = inject(pod);

        const kept = containersOf(injected.pod, "containers").map((container) => ({ container, rewrites: injected.rewrites }));
        for (const [index, { container, rewrites }] of kept.entries()) {
          const original = containersOf(pod, "containers")[index];
          const named = new Set(rewrites.map((path) => path.replace(`containers/${container.name}/`, "").split("/")[0] ?? ""));
          expect(without(container, named)).toStrictEqual(without(original, named));
        }
      }),
    );
  });

  it("is the same text for the same pod", () => {
    fastCheck.assert(
      fastCheck.property(anyPod(), (pod) => {
        expect(inject(structuredClone(pod)).patch).toBe(inject(pod).patch);
      }),
    );
  });

  it("does not grow with the pod", () => {
    expect(inject(podWithEnvironment(1000)).patch).toBe(inject(podWithEnvironment(1)).patch);
  });

  it("rewrites only the probe that a later webhook added", () => {
    const first = inject(withProbe("app", { path: "/a", port: 8080 })).pod;
    const spec = first["spec"] as Json;
    const later = { ...first, spec: { ...spec, containers: [...containersOf(first, "containers"), { name: "late", livenessProbe: { httpGet: { path: "/b", port: 9 } } }] } };

    const again = inject(later);

    expect(again.decision.code).toBe("injected");
    expect(again.rewrites).toEqual(["containers/late/livenessProbe"]);
    expect(inject(again.pod).patch).toBe("[]");
    expect(containersOf(uninject(again.pod), "containers").at(-1)).toEqual({ name: "late", livenessProbe: { httpGet: { path: "/b", port: 9 } } });
  });

  it("fails on another pod than its own", () => {
    const { patch } = inject(withProbe("app", { path: "/a", port: 8080 }));

    expect(() => apply(withProbe("other", { path: "/a", port: 8080 }), patch)).toThrow(/Test operation failed/);
  });
});

describe("what is put into the pod", () => {
  const pod = { metadata: { name: "p", annotations: { mine: "1" } }, spec: { initContainers: [{ name: "prepare" }], containers: [{ name: "app" }] } };

  it("starts sidecars before the user's init containers", () => {
    expect(containersOf(inject(pod).pod, "initContainers").map(({ name }) => name)).toEqual(["weft-init", "weft-agent", "weft-adapter", "weft-proxy", "prepare"]);
  });

  it("redirects last and starts the sidecars first with ordinary containers", () => {
    const injected = inject(pod, all, ordinary).pod;

    expect(containersOf(injected, "initContainers").map(({ name }) => name)).toEqual(["prepare", "weft-init"]);
    expect(containersOf(injected, "containers").map(({ name }) => name)).toEqual(["weft-agent", "weft-adapter", "weft-proxy", "app"]);
  });

  it("gives no adapter and no scrape annotations without a Monitor", () => {
    const injected = inject(pod, facts({}, { "weft.mesh/inject": "always" }));

    expect(containersOf(injected.pod, "initContainers").map(({ name }) => name)).toEqual(["weft-init", "weft-agent", "weft-proxy", "prepare"]);
    expect(injected.rewrites).toEqual([]);
  });

  it("does not redirect when that is the CNI plugin's", () => {
    const mesh: MeshConfig = { ...config, injection: { ...config.injection, redirection: "cni" } };

    expect(containersOf(inject(pod, all, mesh).pod, "initContainers").map(({ name }) => name)).not.toContain("weft-init");
  });

  it("keeps the user's scrape target", () => {
    const own = { ...pod, metadata: { annotations: { "prometheus.io/scrape": "false" } } };

    expect(inject(own).patch).not.toContain("15090/");
    expect((inject(own).pod["metadata"] as Json)["annotations"]).toMatchObject({ "prometheus.io/scrape": "false" });
    expect(inject(own).patch).not.toContain("prometheus.io~1port");
  });

  it("extends the autoscaler's list of volumes", () => {
    const key = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes";
    const own = { ...pod, metadata: { annotations: { [key]: "cache" } } };

    expect((inject(own).pod["metadata"] as Json)["annotations"]).toMatchObject({ [key]: "cache,weft-run" });
  });

  it("declares no resources beside a pod that declares its own as a whole", () => {
    const whole = { spec: { resources: { limits: { memory: "64Mi" } }, containers: [{ name: "app" }] } };

    for (const container of containersOf(inject(whole).pod, "initContainers")) expect(container).not.toHaveProperty("resources");
  });

  it("gives every sidecar but the redirection what Pod Security restricted asks", () => {
    for (const container of containersOf(inject({ spec: { containers: [{ name: "app" }] } }).pod, "initContainers")) {
      expect(container).toMatchObject({ terminationMessagePolicy: "FallbackToLogsOnError", resources: { requests: { cpu: "10m" }, limits: { memory: "96Mi" } } });
      if (container.name === "weft-init") continue;
      expect(container).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
          runAsUser: 1337,
          runAsGroup: 1337,
          seccompProfile: { type: "RuntimeDefault" },
        },
      });
    }
  });

  it("keeps its annotations under 4 KiB", () => {
    const annotations = (inject({ metadata: null, spec: { containers: [{ name: "a".repeat(63) }] } } as Json, all, ordinary).pod["metadata"] as Json)["annotations"];

    expect(JSON.stringify(annotations).length).toBeLessThan(4096);
  });

  it("has no text that Kubernetes would expand but its own", () => {
    const { patch } = inject(withProbe("app", { path: "/$(HOME)", port: 80 }));

    expect(patch.match(/\$\([A-Z_]+\)/g)).toEqual(["$(WEFT_NAMESPACE)", "$(WEFT_POD)"]);
  });
});
