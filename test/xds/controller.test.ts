import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDirectoryStore } from "../../certs/ca/directory-store.ts";
import { meshConfigDefaults } from "../../src/api/mesh-config-defaults.ts";
import type { Canary } from "../../src/api/smi/split.ts";
import { startController, type Controller } from "../../src/controller/start.ts";
import { RouteConfigurationSchema } from "../../src/gen/envoy/config/route/v3/route_pb.js";
import type { DeltaDiscoveryResponse } from "../../src/gen/envoy/service/discovery/v3/discovery_pb.js";
import { byKey, MemorySource, metaOf, podOf, serviceOf } from "../unit/controller/sample.ts";
import { AdsClient } from "./ads-client.ts";
import type { TlsIdentity } from "../../src/std/rotating.ts";
import { obtainCertificate } from "./obtain-certificate.ts";

const listen = { host: "127.0.0.1", port: 0 };
const node = { id: "shop/web-1" };

/** Where the route of a response goes: `v1`, or `v1=1`, `v2=1`. */
function weightsOf(response: DeltaDiscoveryResponse): string[] {
  const { virtualHosts } = fromBinary(RouteConfigurationSchema, response.resources[0]?.resource?.value ?? new Uint8Array());
  const action = virtualHosts[0]?.routes[0]?.action;
  if (action?.case !== "route") return [];
  const { clusterSpecifier } = action.value;
  if (clusterSpecifier.case === "cluster") return [clusterSpecifier.value];
  return clusterSpecifier.case === "weightedClusters" ? clusterSpecifier.value.clusters.map(({ name, weight }) => `${name}=${weight}`) : [];
}

function canary(v1: number, v2: number): Canary {
  return { kind: "Canary", metadata: metaOf("shop", "c"), spec: { service: "web", backends: [{ service: "web-v1", weight: v1 }, { service: "web-v2", weight: v2 }] } };
}

describe("the controller", () => {
  const directory = mkdtempSync(join(tmpdir(), "weft-controller-"));
  const bundle = join(directory, "trust.pem");
  let source: MemorySource;
  let controller: Controller;
  let opened: AdsClient[];
  let statuses: string[];

  beforeEach(async () => {
    opened = [];
    statuses = [];
    source = new MemorySource({
      Pod: byKey(podOf("shop", "web-1"), podOf("shop", "other", { serviceAccount: "other", ips: ["10.0.0.2"] })),
      Service: byKey(serviceOf("shop", "web", 80), serviceOf("shop", "web-v1", 80), serviceOf("shop", "web-v2", 80)),
      Monitor: byKey({ kind: "Monitor", metadata: metaOf("shop", "m"), spec: { selector: { matchLabels: { app: "web" } } }, status: {} }),
    });
    controller = await startController({
      source,
      config: () => meshConfigDefaults,
      authorityStore: createDirectoryStore(join(directory, "ca")),
      // The token is the pod's key.
      authenticate: async (token) => {
        const [namespace = "", pod = ""] = token.split("/");
        return { namespace, pod };
      },
      listen: { xds: listen, ca: listen, metrics: listen },
      servingNames: { dns: ["localhost"], ips: ["127.0.0.1"] },
      writeTrustBundle: async (pem) => writeFileSync(bundle, pem),
      writeStatus: async (object, { metricsServer }) => void statuses.push(`${object.kind} ${object.namespace}/${object.name} ${metricsServer}`),
      logger: pino({ level: "silent" }),
    });
  });

  afterEach(async () => {
    for (const each of opened) each.close();
    await controller.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  function certificateOf(pod: string): Promise<TlsIdentity> {
    return obtainCertificate({ url: controller.addresses.ca, root: readFileSync(bundle, "utf8") }, pod);
  }

  function connect(credentials: TlsIdentity): AdsClient {
    const client = new AdsClient({ address: controller.addresses.xds, root: controller.trustBundle.current(), credentials });
    opened.push(client);
    return client;
  }

  it("gives a pod its certificate, its configuration, and a Canary's weights as they change", async () => {
    const ads = connect(await certificateOf("shop/web-1"));
    ads.send("route", { node, resourceNamesSubscribe: ["outbound_web_shop_80"] });
    const first = await ads.next();
    ads.acknowledge("route", first);

    source.replace({ Canary: byKey(canary(2, 1)) });
    const split = await ads.next();
    ads.acknowledge("route", split);
    await expect.poll(() => controller.xds.openPublishes()).toBe(0);

    expect(weightsOf(first)).toEqual(["outbound_web_shop_80"]);
    expect(weightsOf(split)).toEqual(["outbound_web-v1_shop_80=2", "outbound_web-v2_shop_80=1"]);
    expect(controller.xds.lastConvergence()).toMatchObject({ proxies: 1, told: 1, refused: 0 });
  });

  it("refuses a pod that uses the node id of another", async () => {
    const ads = connect(await certificateOf("shop/other"));
    ads.send("cluster", { node });

    expect(await ads.ended).toEqual({ code: status.PERMISSION_DENIED, details: 'node id "shop/web-1" does not belong to spiffe://weft.local/ns/shop/sa/other' });
  });

  it("keeps a refusal as a Problem until the proxy accepts, and counts it", async () => {
    const ads = connect(await certificateOf("shop/web-1"));
    ads.send("listener", { node });
    ads.send("listener", { responseNonce: (await ads.next()).nonce, errorDetail: { code: 13, message: "inbound: bad" } });
    await expect.poll(() => controller.problems().map(({ code, object }) => `${code} ${object.name}`)).toContain("proxy-refused web-1");

    expect(await controller.metrics.registry.metrics()).toContain('weft_xds_answers_total{type="listener",outcome="refused"} 1');
    ads.send("listener", { resourceNamesSubscribe: ["inbound"] });
    ads.acknowledge("listener", await ads.next());
    await expect.poll(() => controller.problems().map(({ code }) => code)).not.toContain("proxy-refused");
  });

  it("writes each Monitor's address once", async () => {
    const address = `${controller.addresses.metrics}/metrics/shop/m`;
    await expect.poll(() => statuses).toEqual([`Monitor shop/m ${address}`]);

    const published = new Promise<void>((resolve) => controller.pipeline.onPublish(() => resolve()));
    source.replace({ Canary: byKey(canary(1, 1)) });
    await published;

    expect(statuses).toHaveLength(1);
  });

  it("names the address when its port is taken", async () => {
    const port = Number(controller.addresses.xds.split(":").at(-1));
    const second = startController({
      source,
      config: () => meshConfigDefaults,
      authorityStore: createDirectoryStore(join(directory, "ca")),
      authenticate: async () => undefined,
      listen: { xds: { host: "127.0.0.1", port }, ca: listen, metrics: listen },
      servingNames: { dns: ["localhost"], ips: ["127.0.0.1"] },
      logger: pino({ level: "silent" }),
    });

    await expect(second).rejects.toThrow(/^Cannot listen on 127\.0\.0\.1:[0-9]+: /);
  });
});
