import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseObject } from "../../../src/api/parse.ts";

function metadata(name: string) {
  return { namespace: "shop", name, uid: `uid-${name}`, labels: {}, annotations: {}, creationTimestamp: "" };
}

function raw(kind: string, spec: unknown, apiVersion = "smi-spec.io/v1beta1") {
  return { apiVersion, kind, metadata: { name: "one", namespace: "shop", uid: "uid-one" }, spec };
}

function problemOf(value: unknown) {
  const result = parseObject(value);
  return result.kind === "problem" ? [result.problem.code, result.problem.sentence] : result;
}

describe("parseObject, Kubernetes' own kinds", () => {
  it("trims a Pod: native sidecars' ports, addresses, readiness, our annotations alone", () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: "web",
        namespace: "shop",
        uid: "u1",
        creationTimestamp: "2026-11-21T10:00:00Z",
        labels: { app: "web" },
        annotations: { "weft.mesh/status": "{}", "kubectl.kubernetes.io/last-applied-configuration": "big" },
        managedFields: [{ manager: "x" }],
      },
      spec: {
        serviceAccountName: "web",
        nodeName: "n",
        initContainers: [{ name: "setup", ports: [{ containerPort: 1 }] }, { name: "side", restartPolicy: "Always", ports: [{ containerPort: 9000, name: "m" }] }],
        containers: [{ name: "app", image: "x", ports: [{ containerPort: 8080, name: "http" }, { containerPort: 53, protocol: "UDP" }] }],
      },
      status: { phase: "Running", podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }], conditions: [{ type: "Ready", status: "True" }] },
    };

    expect(parseObject(pod)).toEqual({
      kind: "object",
      problems: [],
      object: {
        kind: "Pod",
        metadata: { namespace: "shop", name: "web", uid: "u1", labels: { app: "web" }, annotations: { "weft.mesh/status": "{}" }, creationTimestamp: "2026-11-21T10:00:00Z" },
        serviceAccount: "web",
        hostNetwork: false,
        containers: ["setup", "side", "app"],
        ports: [
          { name: "m", port: 9000, protocol: "TCP" },
          { name: "http", port: 8080, protocol: "TCP" },
          { name: "", port: 53, protocol: "UDP" },
        ],
        ips: ["10.0.0.1", "fd00::1"],
        ready: true,
        ended: false,
        terminating: false,
      },
    });
  });

  it("takes a null for an absent field", () => {
    const slice = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "web-1", namespace: "shop", uid: "u", labels: { "kubernetes.io/service-name": "web" }, creationTimestamp: null },
      addressType: "IPv4",
      endpoints: null,
      ports: null,
    };

    expect(parseObject(slice)).toMatchObject({ kind: "object", object: { service: "web", ports: [], endpoints: [] } });
  });

  it("reads absent conditions of an endpoint as ready and serving", () => {
    const endpoints = [
      { addresses: ["10.0.0.1", "10.0.0.2"], targetRef: { kind: "Pod", name: "web" }, zone: "a" },
      { addresses: ["10.0.0.3"], conditions: { ready: false, terminating: true } },
      { addresses: [] },
    ];
    const slice = { ...raw("EndpointSlice", undefined, "discovery.k8s.io/v1"), addressType: "IPv4", endpoints, ports: [{ name: "http", port: 8080 }, { name: "all" }] };

    expect(parseObject(slice)).toMatchObject({
      object: {
        ports: [{ name: "http", port: 8080, protocol: "TCP" }],
        endpoints: [
          { address: "10.0.0.1", ready: true, serving: true, terminating: false, pod: "web", zone: "a" },
          { address: "10.0.0.3", ready: false, serving: false, terminating: true, pod: "", zone: "" },
        ],
      },
    });
  });

  it.each([
    [{ clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1", "fd00::2"], selector: { app: "web" } }, { clusterIps: ["10.96.0.1", "fd00::2"], headless: false, selector: { app: "web" } }],
    [{ clusterIP: "None", selector: {} }, { clusterIps: [], headless: true, selector: undefined }],
    [{ type: "ExternalName", externalName: "db.example.com", selector: { a: "b" }, clusterIP: "10.96.0.9" }, { externalName: "db.example.com", selector: undefined, clusterIps: [] }],
    [{ ports: [{ port: 80 }, { port: 81, targetPort: "http", appProtocol: "http" }] }, { ports: [{ name: "", port: 80, targetPort: 80, protocol: "TCP", appProtocol: "" }, { name: "", port: 81, targetPort: "http", protocol: "TCP", appProtocol: "http" }] }],
  ])("trims a Service with %j", (spec, expected) => {
    expect(parseObject(raw("Service", spec, "v1"))).toMatchObject({ kind: "object", object: { kind: "Service", ...expected } });
  });

  it("puts an object without namespace into default, and a Namespace into none", () => {
    expect(parseObject({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "a" } })).toMatchObject({ object: { metadata: { namespace: "default", uid: "" } } });
    expect(parseObject({ apiVersion: "v1", kind: "Namespace", metadata: { name: "a", namespace: "x" } })).toMatchObject({ object: { metadata: { namespace: "", name: "a" } } });
  });

  it.each([
    [{ kind: "Deployment", apiVersion: "apps/v1" }],
    [{ kind: "Canary", apiVersion: "flagger.app/v1beta1" }],
    [{ kind: "Service", apiVersion: "serving.knative.dev/v1" }],
    [{ kind: "constructor", apiVersion: "v1" }],
    ["text"],
    [null],
  ])("ignores %j", (value) => {
    expect(parseObject(value)).toEqual({ kind: "ignored" });
  });

  it("tells what is wrong with an object, and which", () => {
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web", labels: { version: 1 } }, spec: {} };

    expect(parseObject(pod)).toEqual({
      kind: "problem",
      problem: {
        severity: "error",
        code: "object-invalid",
        object: { kind: "Pod", namespace: "default", name: "web" },
        sentence: "metadata.labels.version must be string; spec lacks containers.",
      },
    });
  });

  it("refuses names that would break out of a key", () => {
    expect(problemOf({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "a/b" } })).toEqual(["object-invalid", expect.stringMatching(/^metadata\.name /)]);
    expect(problemOf({ apiVersion: "v1", kind: "ServiceAccount" })).toEqual(["object-invalid", "the document lacks metadata."]);
  });
});

describe("parseObject, our kinds", () => {
  it("reads the draft's Canary with quantities as they are", () => {
    const spec = { service: "numbers", backends: [{ service: "one", weight: "10m" }, { service: "two", weight: 1 }] };

    expect(parseObject(raw("Canary", spec))).toEqual({ kind: "object", problems: [], object: { kind: "Canary", metadata: metadata("one"), spec } });
  });

  it.each([
    ["Canary", { service: "a", backends: [{ service: "b", weight: -1 }] }, "object-invalid", "spec.backends[0].weight must be >= 0 or must be string."],
    ["Canary", { service: "a", backends: [] }, "object-invalid", "spec.backends must not have fewer than 1 items."],
    ["Canary", { backends: [{ service: "b", weight: "x" }] }, "object-invalid", expect.stringMatching(/^spec lacks service; spec\.backends\[0\]\.weight must be integer or must match pattern/)],
    ["TLSConfig", { selector: {}, mode: "off" }, "object-invalid", "spec.mode must be permissive or must be strict."],
    ["TLSConfig", {}, "object-invalid", "spec lacks selector."],
    ["Monitor", { selector: { matchLabels: { a: 1 } } }, "object-invalid", "spec.selector.matchLabels.a must be string."],
  ])("refuses %s %j", (kind, spec, ...expected) => {
    expect(problemOf(raw(kind, spec))).toEqual(expected);
  });

  it("does not take the root of another namespace for a backend of this one", () => {
    expect(parseObject(raw("Canary", { service: "a.other", backends: [{ service: "a", weight: 1 }] }))).toMatchObject({ kind: "object" });
  });

  it("takes metricsLabels for metricLabels, and tells when both are there and differ", () => {
    const alone = parseObject(raw("Monitor", { selector: {}, metricsLabels: { team: "x" } }));
    const same = parseObject(raw("Monitor", { selector: {}, metricLabels: { team: "x" }, metricsLabels: { team: "x" } }));
    const both = parseObject(raw("Monitor", { selector: {}, metricLabels: {}, metricsLabels: { team: "x" } }));

    expect(alone).toMatchObject({ object: { spec: { selector: {}, metricLabels: { team: "x" } }, status: {} }, problems: [] });
    expect(same).toMatchObject({ problems: [] });
    expect(both).toMatchObject({ object: { spec: { metricLabels: {} } }, problems: [{ severity: "warning", code: "labels-conflict" }] });
  });

  it("keeps an object with a misspelt field, and tells", () => {
    expect(parseObject(raw("TLSConfig", { selector: { matchlabels: {} }, Mode: "strict" }))).toMatchObject({
      kind: "object",
      problems: [
        { code: "field-unknown", sentence: "The field spec.selector.matchlabels is not known and is passed over. Correct its name or remove it." },
        { code: "field-unknown", sentence: "The field spec.Mode is not known and is passed over. Correct its name or remove it." },
      ],
    });
  });

  it("tells the draft's literal version and what to do", () => {
    expect(problemOf(raw("TLSConfig", {}, "v1beta1"))).toEqual([
      "version-unknown",
      "The version v1beta1 is not known; write smi-spec.io/v1beta1. `weft convert` turns the first draft's documents into it.",
    ]);
    expect(problemOf(raw("TLSConfig", {}, "smi-spec.io/v2"))).toEqual(["version-unknown", "The version smi-spec.io/v2 is not known; write smi-spec.io/v1beta1."]);
  });

  it.each(["v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"])("reads TrafficSplit %s with whole weights", (version) => {
    const spec = { service: "a", backends: [{ service: "b", weight: 90 }] };

    expect(parseObject(raw("TrafficSplit", spec, `split.smi-spec.io/${version}`))).toMatchObject({ kind: "object", object: { spec } });
  });

  it("reads v1alpha1's whole quantities, and refuses fractions and other versions' strings", () => {
    function split(version: string, weight: unknown) {
      return raw("TrafficSplit", { service: "a", backends: [{ service: "b", weight }] }, `split.smi-spec.io/${version}`);
    }

    expect(parseObject(split("v1alpha1", "100"))).toMatchObject({ object: { spec: { backends: [{ service: "b", weight: 100 }] } } });
    expect(problemOf(split("v1alpha1", "500m"))).toEqual(["object-invalid", "spec.backends[0].weight must be integer."]);
    expect(problemOf(split("v1alpha2", "100"))).toEqual(["object-invalid", "spec.backends[0].weight must be integer."]);
  });

  it("never throws, whatever the JSON", () => {
    const kinds = fc.constantFrom("Pod", "Service", "Namespace", "EndpointSlice", "TLSConfig", "Canary", "Monitor", "TrafficSplit");
    const versions = fc.constantFrom("v1", "smi-spec.io/v1beta1", "split.smi-spec.io/v1alpha1", "discovery.k8s.io/v1", "/", "");

    fc.assert(
      fc.property(kinds, versions, fc.record({ metadata: fc.jsonValue(), spec: fc.jsonValue(), status: fc.jsonValue() }), (kind, apiVersion, rest) => {
        expect(["object", "problem", "ignored"]).toContain(parseObject({ kind, apiVersion, ...rest }).kind);
      }),
    );
  });
});
