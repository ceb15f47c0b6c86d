import { describe, expect, it } from "vitest";
import { convertDrafts } from "../../../../src/api/smi/draft.ts";
import { formatProblem } from "../../../../src/std/problem.ts";

describe("convertDrafts", () => {
  it("gives the draft's kinds their group, and hoists the name", () => {
    const spec = { subjectNames: ["foo", "bar"], selector: { matchLabels: { role: "frontend" } } };

    expect(convertDrafts([{ apiVersion: "v1beta1", kind: "TLSConfig", name: "my-tls-config", spec }])).toEqual({
      documents: [{ apiVersion: "smi-spec.io/v1beta1", kind: "TLSConfig", metadata: { name: "my-tls-config" }, spec }],
      problems: [],
    });
  });

  it("keeps status, labels and namespace, in a List too", () => {
    const monitor = { apiVersion: "v1beta1", kind: "Monitor", name: "m", metadata: { namespace: "shop", labels: { a: "b" } }, spec: { selector: {} }, status: { metricsServer: "https://x" } };

    expect(convertDrafts([{ apiVersion: "v1", kind: "List", items: [monitor, { kind: "Pod" }] }]).documents).toEqual([
      {
        apiVersion: "v1",
        kind: "List",
        items: [
          { apiVersion: "smi-spec.io/v1beta1", kind: "Monitor", metadata: { name: "m", namespace: "shop", labels: { a: "b" } }, spec: { selector: {} }, status: { metricsServer: "https://x" } },
          { kind: "Pod" },
        ],
      },
    ]);
  });

  it("passes other documents through, even odd ones", () => {
    const others = [{ apiVersion: "v1", kind: "Service", metadata: {} }, { apiVersion: "smi-spec.io/v1beta1", kind: "Canary" }, { apiVersion: "v1beta1", kind: "Other", name: "x" }, { a: 1 }];

    expect(convertDrafts(others)).toEqual({ documents: others, problems: [] });
  });

  it("leaves out what is invalid, and says why", () => {
    const canary = { apiVersion: "v1beta1", kind: "Canary", metadata: { name: "my-canary" }, spec: { service: "foobar", backends: [{ service: "foobar-v1", weight: -1 }] } };
    const twoNames = { apiVersion: "v1beta1", kind: "Monitor", name: "a", metadata: { name: "b" }, spec: { selector: {} } };
    const noName = { apiVersion: "v1beta1", kind: "Monitor", spec: { selector: {} } };

    const { documents, problems } = convertDrafts([canary, twoNames, noName]);

    expect(documents).toEqual([]);
    expect(problems.map(formatProblem)).toEqual([
      "error: Canary default/my-canary: spec.backends[0].weight must be >= 0 or must be string. (object-invalid)",
      "error: Monitor default/b: It has two names: a at the top and b in metadata. Keep one. (object-invalid)",
      "error: Monitor default/: metadata lacks name. (object-invalid)",
    ]);
  });
});
