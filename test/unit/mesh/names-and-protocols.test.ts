import { describe, expect, it } from "vitest";
import { joinProtocols, portProtocol } from "../../../src/mesh/port-protocol.ts";
import { resolveServiceName } from "../../../src/mesh/service-name.ts";

describe("the Service that a split names", () => {
  it.each([
    ["web", "shop/web"],
    ["web.", "shop/web"],
    ["web.shop", "shop/web"],
    ["web.shop.svc", "shop/web"],
    ["web.shop.svc.cluster.local", "shop/web"],
    ["web.shop.svc.cluster.local.", "shop/web"],
    ["web.other", undefined],
    ["web.other.svc.cluster.local", undefined],
    ["web.shop.svc.cluster", undefined],
    ["web.example.com", undefined],
  ])("%s is %s", (text, expected) => {
    expect(resolveServiceName(text, { namespace: "shop", clusterDomain: "cluster.local" })).toBe(expected);
  });
});

describe("the protocol of a port", () => {
  it.each([
    [{ name: "", appProtocol: "" }, "detect"],
    [{ name: "web", appProtocol: "" }, "detect"],
    [{ name: "httpbin", appProtocol: "" }, "detect"],
    [{ name: "http", appProtocol: "" }, "http"],
    [{ name: "http-web", appProtocol: "" }, "http"],
    [{ name: "http2-web", appProtocol: "" }, "http2"],
    [{ name: "grpc", appProtocol: "" }, "http2"],
    [{ name: "grpc-web", appProtocol: "" }, "http"],
    [{ name: "https", appProtocol: "" }, "tcp"],
    [{ name: "tcp-http", appProtocol: "" }, "tcp"],
    [{ name: "mysql", appProtocol: "" }, "tcp"],
    [{ name: "tcp", appProtocol: "http" }, "http"],
    [{ name: "http", appProtocol: "kubernetes.io/h2c" }, "http2"],
    [{ name: "http", appProtocol: "example.com/own" }, "http"],
    [{ name: "", appProtocol: "HTTP" }, "http"],
  ])("%j is %s", (port, expected) => {
    expect(portProtocol({ ...port, numbers: [8080] })).toBe(expected);
  });

  it("is bytes where the number says that the server speaks first, unless http is declared", () => {
    expect(portProtocol({ name: "db", appProtocol: "", numbers: [80, 3306] })).toBe("tcp");
    expect(portProtocol({ name: "http", appProtocol: "", numbers: [3306] })).toBe("http");
  });

  it.each([
    ["http", "detect", "http"],
    ["detect", "tcp", "tcp"],
    ["http", "http2", "http"],
    ["http", "tcp", "detect"],
    ["detect", "detect", "detect"],
  ] as const)("of a pod port that one Service calls %s and another %s is %s", (a, b, expected) => {
    expect(joinProtocols(a, b)).toBe(expected);
    expect(joinProtocols(b, a)).toBe(expected);
  });
});
