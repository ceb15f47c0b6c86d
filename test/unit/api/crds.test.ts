import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { buildCrds } from "../../../src/api/crds.ts";
import { toStructuralSchema } from "../../../src/api/structural-schema.ts";
import { readDocuments } from "../../../src/files/yaml.ts";

describe("buildCrds", () => {
  it("makes four definitions, and the chart's files are current", async () => {
    const crds = buildCrds();

    expect([...crds.keys()]).toEqual(["smi-spec.io_tlsconfigs.yaml", "smi-spec.io_canaries.yaml", "smi-spec.io_monitors.yaml", "split.smi-spec.io_trafficsplits.yaml"]);
    for (const [name, crd] of crds) {
      const text = await readFile(new URL(`../../../charts/weft/files/crds/${name}`, import.meta.url), "utf8");
      expect(readDocuments(text, name), `${name}: run 'make gen'`).toEqual({ documents: [crd], problems: [] });
    }
  });
});

describe("toStructuralSchema", () => {
  it("says maps, enums and int-or-string as Kubernetes does", () => {
    const schema = {
      type: "object",
      properties: {
        labels: { type: "object", patternProperties: { "^.*$": { type: "string" } } },
        mode: { description: "which", anyOf: [{ type: "string", const: "a" }, { type: "string", const: "b" }] },
        weight: { anyOf: [{ type: "integer", minimum: 0 }, { type: "string", pattern: "^x$" }] },
        kind: { type: "string", const: "Pod" },
      },
    };

    expect(toStructuralSchema(schema)).toEqual({
      type: "object",
      properties: {
        labels: { type: "object", additionalProperties: { type: "string" } },
        mode: { description: "which", type: "string", enum: ["a", "b"] },
        weight: { minimum: 0, pattern: "^x$", anyOf: [{ type: "integer" }, { type: "string" }], "x-kubernetes-int-or-string": true },
        kind: { type: "string", enum: ["Pod"] },
      },
    });
  });

  it("refuses what has no structural form", () => {
    expect(() => toStructuralSchema({ anyOf: [{ type: "boolean" }, { type: "string" }] })).toThrow("no structural schema for a union of boolean, string");
  });
});
