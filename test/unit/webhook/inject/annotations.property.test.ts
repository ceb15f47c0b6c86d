import fastCheck, { type Arbitrary } from "fast-check";
import jsonPatch from "fast-json-patch";
import { describe, expect, it } from "vitest";
import { annotationTable } from "../../../../webhook/inject/annotation-table.ts";
import { createInjector } from "../../../../webhook/inject/injector.ts";
import { uninject } from "../../../../webhook/inject/uninject.ts";
import { config, facts, monitor } from "./mesh-fixture.ts";
import { anyPod } from "./pod-arbitrary.ts";

type Json = Readonly<Record<string, unknown>>;
type Container = Json & { readonly name: string };

const injector = createInjector(config, "1.36");
const mesh = facts({ monitors: [monitor("all", {})] });
const names = Object.keys(annotationTable);
const examples = Object.entries(annotationTable).map(([name, { example }]): [string, string] => [name, example]);

const hostile = fastCheck.oneof(
  fastCheck.constantFrom(
    "",
    '"',
    "'",
    "1\ncommand: [sh]",
    "- &a *a",
    "{{ .Values }}",
    "$(WEFT_POD)",
    "${X}",
    "../../etc",
    "~0~1/a/b",
    "\u0000",
    "\ud800",
    "８０",
    "80\u202e",
    '{"A":"\\u0000"}',
    '{"__proto__":{"x":1}}',
    '{"A":"$(WEFT_POD)\\n\\"~/"}',
    "x".repeat(262_144),
  ),
  fastCheck.string({ unit: "binary" }),
  fastCheck.jsonValue().map((value) => JSON.stringify(value)),
  fastCheck.integer().map(String),
);

/** Annotations of ours: hostile and good values, known names and others. */
const annotations: Arbitrary<Readonly<Record<string, string>>> = fastCheck
  .array(
    fastCheck.oneof(
      fastCheck.constantFrom(...examples),
      fastCheck.tuple(fastCheck.constantFrom(...names), hostile),
      fastCheck.tuple(fastCheck.string({ maxLength: 20 }), hostile),
    ),
    { maxLength: 6 },
  )
  .map((entries) => Object.fromEntries(entries.map(([name, value]) => [`weft.mesh/${name}`, value])));

const good: Arbitrary<Readonly<Record<string, string>>> = fastCheck
  .subarray(examples)
  .map((entries) => Object.fromEntries(entries.map(([name, value]) => [`weft.mesh/${name}`, value])));

function annotated(pod: Json, own: Readonly<Record<string, string>>): Json {
  const metadata = (pod["metadata"] ?? {}) as Json;
  return { ...pod, metadata: { ...metadata, annotations: { ...(metadata["annotations"] as Json | null | undefined), ...own } } };
}

function inject(pod: Json) {
  const injection = injector.inject({ pod, namespace: "shop", facts: mesh });
  if (injection === undefined) throw new Error("no pod");
  return injection;
}

function apply(pod: Json, patch: string): Json {
  return jsonPatch.applyPatch(structuredClone(pod), JSON.parse(patch), true).newDocument;
}

/** Which containers of ours there are, and which fields each has. */
function shapeOf(pod: Json): Readonly<Record<string, readonly string[]>> {
  const { initContainers, containers } = pod["spec"] as { readonly initContainers?: readonly Container[] | null; readonly containers: readonly Container[] };
  const ours = [...(initContainers ?? []), ...containers].filter(({ name }) => name.startsWith("weft-"));
  return Object.fromEntries(ours.map((container) => [container.name, Object.keys(container).filter((key) => !["restartPolicy", "lifecycle"].includes(key)).sort()]));
}

const hardened = ["command", "env", "image", "imagePullPolicy", "name", "resources", "securityContext", "startupProbe", "terminationMessagePolicy", "volumeMounts"];
const expectedShape: Readonly<Record<string, readonly string[]>> = {
  "weft-init": ["args", "command", "image", "imagePullPolicy", "name", "resources", "securityContext", "terminationMessagePolicy"],
  "weft-agent": [...hardened, "ports"].sort(),
  "weft-adapter": [...hardened, "ports"].sort(),
  "weft-proxy": [...hardened, "args", "workingDir"].sort(),
};

describe("annotations of any pod", () => {
  it("are refused with a short printable message, or change the pod in places of ours alone", () => {
    fastCheck.assert(
      fastCheck.property(anyPod(), annotations, (bare, own) => {
        const pod = annotated(bare, own);
        const before = structuredClone(pod);

        const { decision, patch, warnings } = inject(pod);

        expect(pod).toStrictEqual(before);
        expect([decision.sentence, ...warnings.filter((warning) => warning.startsWith("the annotation"))].join("")).toMatch(/^[ -~…]*$/);
        expect(decision.sentence.length).toBeLessThan(4000);
        const rejected = decision.code === "annotations-invalid";
        expect([rejected ? "annotations-invalid" : "injected", rejected ? "[]" : patch]).toEqual([decision.code, patch]);
        const result = apply(pod, patch);
        expect(uninject(result)).toStrictEqual(before);
        for (const [name, keys] of Object.entries(shapeOf(result))) expect([name, keys]).toEqual([name, expectedShape[name]]);
      }),
      { numRuns: 500 },
    );
  });

  it("with good values apply, are taken back exactly, and add nothing the second time", () => {
    fastCheck.assert(
      fastCheck.property(anyPod(), good, (bare, own) => {
        const pod = annotated(bare, own);

        const { decision, patch } = inject(pod);
        const injected = apply(pod, patch);

        expect([decision.code, decision.sentence]).toEqual(["injected", expect.any(String) as unknown]);
        expect(uninject(injected)).toStrictEqual(pod);
        expect([inject(injected).decision.code, inject(injected).patch]).toEqual(["already-injected", "[]"]);
      }),
      { numRuns: 200 },
    );
  });

  it("cost a pod without them nothing: what is added is the same text", () => {
    fastCheck.assert(
      fastCheck.property(good, (own) => {
        const plain = { metadata: { name: "p" }, spec: { containers: [{ name: "app" }] } };
        const first = inject(plain).patch;
        inject(annotated(plain, own));

        expect(inject(plain).patch).toBe(first);
      }),
    );
  });
});
