import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ClusterSchema } from "../../../src/gen/envoy/config/cluster/v3/cluster_pb.js";
import { DeltaDiscoveryResponseSchema } from "../../../src/gen/envoy/service/discovery/v3/discovery_pb.js";
import { encodeResource, encodeResources, formatResource } from "../../../src/xds/encode.ts";
import { urisOf } from "../../../src/xds/peer-identity.ts";
import { encodeResponse } from "../../../src/xds/wire.ts";

const tls = { name: "tls", typedConfig: { "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", sni: "web" } };

describe("encoding a resource", () => {
  it("gives Envoy's bytes, with name, type and nonce around them", () => {
    const resource = encodeResource("cluster", "a", { name: "a", connectTimeout: "5s", transportSocket: tls });

    const response = fromBinary(DeltaDiscoveryResponseSchema, encodeResponse({ type: "cluster", nonce: "7", resources: [resource], removed: ["b", "c"] }));

    expect(response).toMatchObject({ nonce: "7", removedResources: ["b", "c"], typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster" });
    expect(response.resources.map(({ name, version }) => [name, version])).toEqual([["a", resource.version]]);
    expect(response.resources[0]?.resource?.typeUrl).toBe("type.googleapis.com/envoy.config.cluster.v3.Cluster");
    expect(fromBinary(ClusterSchema, response.resources[0]?.resource?.value ?? new Uint8Array())).toMatchObject({ name: "a", connectTimeout: { seconds: 5n } });
  });

  it("gives equal content the same version, and other content another", () => {
    const versions = [1, 1, 2].map((seconds) => encodeResource("cluster", "a", { name: "a", connectTimeout: `${seconds}s` }).version);

    expect(versions[0]).toBe(versions[1]);
    expect(versions[0]).not.toBe(versions[2]);
  });

  it("happens once for an object, and once for a map", () => {
    const resource = { name: "a" };
    const map = new Map([["a", resource]]);

    expect(encodeResource("cluster", "a", resource)).toBe(encodeResource("cluster", "a", resource));
    expect(encodeResources("cluster", map)).toBe(encodeResources("cluster", map));
  });

  it.each([
    { what: "has no EDS", rest: {}, endpoints: "" },
    { what: "has EDS under its own name", rest: { type: "EDS", edsClusterConfig: { edsConfig: { ads: {} } } }, endpoints: "a" },
    { what: "has EDS under a service name", rest: { type: "EDS", edsClusterConfig: { edsConfig: { ads: {} }, serviceName: "s" } }, endpoints: "s" },
  ])("knows the endpoints of a cluster that $what", ({ rest, endpoints }) => {
    expect(encodeResource("cluster", "a", { name: "a", ...rest }).endpoints).toBe(endpoints);
  });

  it.each([
    { what: "an unknown field", resource: { name: "a", nonsense: 1 }, sentence: /cluster a: .*"nonsense" is unknown/ },
    { what: "a value of the wrong type", resource: { name: 1 }, sentence: /cluster a: .*name/ },
    { what: "an unknown extension", resource: { name: "a", transportSocket: { name: "x", typedConfig: { "@type": "type.googleapis.com/x.Y" } } }, sentence: /cluster a: .*x\.Y/ },
    { what: "an unknown field of an extension", resource: { name: "a", transportSocket: { ...tls, typedConfig: { ...tls.typedConfig, nonsense: 1 } } }, sentence: /nonsense/ },
  ])("refuses $what, and names it", ({ resource, sentence }) => {
    expect(() => encodeResource("cluster", "a", resource)).toThrow(sentence);
  });

  it("encodes the others when one is refused", () => {
    const { entries, failures } = encodeResources("cluster", new Map<string, object>([["a", { nonsense: 1 }], ["b", { name: "b" }]]));

    expect([...entries.keys()]).toEqual(["b"]);
    expect(failures.map(({ type, name }) => [type, name])).toEqual([["cluster", "a"]]);
  });

  it("formats as Envoy's own documents are written", () => {
    expect(formatResource("cluster", { name: "a", connectTimeout: "5s", transportSocket: tls })).toEqual({
      name: "a",
      connect_timeout: "5s",
      transport_socket: { name: "tls", typed_config: { "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", sni: "web" } },
    });
  });
});

describe("a certificate's URIs", () => {
  it.each([
    { text: undefined, uris: [] },
    { text: "DNS:web", uris: [] },
    { text: "URI:spiffe://weft.local/ns/a/sa/b, DNS:web", uris: ["spiffe://weft.local/ns/a/sa/b"] },
    { text: 'DNS:"x, URI:spiffe://weft.local/ns/a/sa/admin", DNS:web', uris: [] },
    { text: 'URI:"spiffe://weft.local/ns/a/sa/b, URI:spiffe://weft.local/ns/a/sa/admin"', uris: [] },
    { text: "URI:spiffe://a, URI:spiffe://b", uris: ["spiffe://a", "spiffe://b"] },
  ])("of $text are $uris", ({ text, uris }) => {
    expect(urisOf(text)).toEqual(uris);
  });
});
