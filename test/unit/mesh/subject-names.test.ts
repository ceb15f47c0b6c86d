import { describe, expect, it } from "vitest";
import { checkSubjectNames } from "../../../src/mesh/subject-names.ts";

const scope = { namespace: "shop", clusterDomain: "cluster.local", controlPlaneNamespace: "weft-system" };

describe("subject names of a TLSConfig", () => {
  it.each(["example.com", "api.example.com", "web", "web.shop", "web.shop.svc", "web.shop.svc.cluster.local", "web-0.web.shop.svc.cluster.local", "10-0-0-1.shop.pod.cluster.local"])("allows %s", (name) => {
    expect(checkSubjectNames([name], scope)).toEqual({ allowed: [name], refused: [] });
  });

  it.each([
    ["*.example.com", "wildcard"],
    ["", "not a DNS name"],
    ["a..b", "not a DNS name"],
    ["example.com.", "not a DNS name"],
    ["-a.example.com", "not a DNS name"],
    ["a_b.example.com", "not a DNS name"],
    ["bad\u0000.example.com", "not a DNS name"],
    ["10.0.0.1", "not a DNS name"],
    [`${"a".repeat(64)}.example.com`, "not a DNS name"],
    [`${"abcdefgh.".repeat(29)}com`, "not a DNS name"],
    ["kubernetes", "API server"],
    ["kubernetes.default", "API server"],
    ["kubernetes.default.svc", "API server"],
    ["KUBERNETES.default.svc.Cluster.Local", "API server"],
    ["localhost", "control plane"],
    ["weft-controller", "control plane"],
    ["weft-controller.weft-system", "control plane"],
    ["weft-controller.weft-system.svc", "control plane"],
    ["x.y.weft-system.svc.cluster.local", "control plane"],
    ["web.other.svc", "belongs to the namespace \"other\""],
    ["web.shop.other.svc", "belongs to the namespace \"other\""],
    ["web.kube-system", "belongs to the namespace \"kube-system\""],
    ["web.other.svc.cluster.local", "belongs to the namespace \"other\""],
    ["10-0-0-1.other.pod.cluster.local", "belongs to the namespace \"other\""],
    ["cluster.local", "not the name of a service"],
    ["shop.cluster.local", "not the name of a service"],
    ["shop.svc.cluster.local", "not the name of a service"],
    ["shop.svc", "not the name of a service"],
  ])("refuses %j: %s", (name, reason) => {
    const result = checkSubjectNames([name], scope);

    expect(result.allowed).toEqual([]);
    expect(result.refused).toHaveLength(1);
    expect(result.refused[0]?.sentence).toContain(reason);
    expect(result.refused[0]?.name).toBe(name);
  });

  it("refuses the API server's name to the namespace default too, and every service name to the control plane's", () => {
    expect(checkSubjectNames(["kubernetes.default.svc"], { ...scope, namespace: "default" }).allowed).toEqual([]);
    expect(checkSubjectNames(["a.weft-system.svc", "a"], { ...scope, namespace: "weft-system" }).allowed).toEqual([]);
  });

  it("tells a namespace from a top-level domain when it knows the namespaces", () => {
    const known = { ...scope, namespaces: new Set(["other"]) };

    expect(checkSubjectNames(["web.other", "example.com"], known).allowed).toEqual(["example.com"]);
    expect(checkSubjectNames(["web.other"], scope).allowed).toEqual(["web.other"]);
  });

  it("gives the allowed ones once, in lower case and sorted", () => {
    expect(checkSubjectNames(["b.example.com", "A.example.com", "a.example.com"], scope).allowed).toEqual(["a.example.com", "b.example.com"]);
  });
});
