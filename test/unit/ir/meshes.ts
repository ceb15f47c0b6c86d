import fc from "fast-check";
import type { MeshObject } from "../../../src/api/objects.ts";
import { canary, endpoint, pod, service, servicePort, slice, tlsConfig, trafficSplit } from "../mesh/objects.ts";

const names = ["a", "b", "c", "d"];
const name = fc.constantFrom(...names);
const address = fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1", "None", "");
const virtualAddress = fc.oneof(address, fc.constantFrom("10.97.0.1", "10.97.0.2", "10.97.0.3", "10.97.0.4"));
const port = fc.record({ number: fc.constantFrom(80, 81, 3306), name: fc.constantFrom("http", "grpc", "tcp", "web"), target: fc.constantFrom(8080, 8081, "http") });

const pods = fc.record({ name, account: name, mesh: fc.boolean(), ended: fc.boolean(), ip: address }).map(({ name: own, account, mesh, ended, ip }) =>
  pod(own, { serviceAccount: account, ended, ips: [ip], labels: { app: own }, ports: [{ name: "http", port: 8080, protocol: "TCP" }], containers: mesh ? ["weft-proxy"] : ["app"] }),
);

const services = fc
  .record({ name, target: name, addresses: fc.array(virtualAddress, { maxLength: 2 }), headless: fc.constantFrom(false, false, true), ports: fc.uniqueArray(port, { minLength: 1, maxLength: 3, selector: ({ number }) => number }) })
  .map(({ name: own, target, addresses, headless, ports }) =>
    service(own, { clusterIps: addresses, headless, selector: { app: target }, ports: ports.map((one) => servicePort(one.number, { name: one.name, targetPort: one.target })) }),
  );

const slices = fc
  .record({ service: name, number: fc.constantFrom(1, 2), endpoints: fc.array(fc.record({ address, pod: fc.constantFrom("", ...names), ready: fc.boolean(), terminating: fc.boolean() })) })
  .map(({ service: own, number, endpoints }) =>
    slice(`${own}-${number}`, endpoints.map(({ address: ip, ...rest }) => endpoint(ip, rest)), { ports: ["http", "grpc", "tcp", "web"].map((one, index) => ({ name: one, port: 8080 + index, protocol: "TCP" })) }),
  );

const weights = fc.dictionary(name, fc.oneof(fc.nat(3), fc.maxSafeNat()), { minKeys: 1, maxKeys: 3 });
const splits = fc.oneof(
  fc.tuple(name, name, weights).map(([own, root, backends]) => canary(own, root, backends)),
  fc.tuple(name, name, weights).map(([own, root, backends]) => trafficSplit(own, root, backends)),
);
const configs = fc.record({ name, target: name, mode: fc.constantFrom("strict" as const, "permissive" as const) }).map(({ name: own, target, mode }) => tlsConfig(own, { app: target }, { mode }));

/** Small meshes in which names and addresses meet often; at least one proxy, and two services. */
export const meshes: fc.Arbitrary<readonly MeshObject[]> = fc
  .tuple(
    fc.constant([pod("proxy")]),
    fc.array(pods, { maxLength: 4 }),
    fc.array(services, { minLength: 2, maxLength: 5, size: "max" }),
    fc.array(slices, { maxLength: 4 }),
    fc.array(splits, { maxLength: 3, size: "max" }),
    fc.array(configs, { maxLength: 2 }),
  )
  .map((lists) => lists.flat());
