import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fromBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { pino } from "pino";
import { ClusterSchema } from "../../src/gen/envoy/config/cluster/v3/cluster_pb.js";
import type { DeltaDiscoveryResponse } from "../../src/gen/envoy/service/discovery/v3/discovery_pb.js";
import type { ResourceSet } from "../../src/std/resource-set.ts";
import { startXdsServer, type XdsServer } from "../../src/xds/server.ts";
import type { ProxyOutcome } from "../../src/xds/sessions.ts";
import { openDeaf } from "./deaf-client.ts";
import { AdsClient, type ClientOptions } from "./ads-client.ts";
import type { TlsIdentity } from "../../src/std/rotating.ts";
import { createTestAuthority, type TestAuthority } from "../support/mesh-pki.ts";

const identity = "spiffe://weft.local/ns/shop/sa/web";
const node = { id: "shop/web-1" };

/** A replaceable value, as the controller's certificates are. */
class Replaceable<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();
  constructor(value: T) {
    this.#value = value;
  }
  current(): T {
    return this.#value;
  }
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
  replace(value: T): void {
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }
}

function resources(clusters: Readonly<Record<string, object>>): ResourceSet {
  return { cluster: new Map(Object.entries(clusters)), endpoint: new Map(), listener: new Map(), route: new Map() };
}

function cluster(name: string, seconds: number): object {
  return { name, connectTimeout: `${seconds}s` };
}

/** `a=1s` by cluster. */
function clustersOf(response: DeltaDiscoveryResponse): string[] {
  return response.resources.map(({ name, resource }) => {
    const { connectTimeout } = fromBinary(ClusterSchema, resource?.value ?? new Uint8Array());
    return `${name}=${connectTimeout?.seconds}s`;
  });
}

/** The first answer that is not undefined. */
async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
}

describe("the ADS server, over real mTLS", () => {
  let authority: TestAuthority;
  let client: TlsIdentity;
  let served: Replaceable<TlsIdentity>;
  let trust: Replaceable<string>;
  let server: XdsServer;
  let current: ResourceSet | undefined;
  let outcomes: ProxyOutcome[];
  let onOutcome: () => void;
  let opened: AdsClient[];

  beforeAll(async () => {
    authority = await createTestAuthority();
    client = await authority.workload(identity);
  });

  beforeEach(async () => {
    opened = [];
    outcomes = [];
    onOutcome = () => {};
    current = resources({ a: cluster("a", 1) });
    served = new Replaceable(await authority.serving(["localhost"]));
    trust = new Replaceable(authority.root);
    server = await start("127.0.0.1:0");
  });

  afterEach(async () => {
    for (const each of opened) each.close();
    await server.stop();
  });

  function start(listen: string): Promise<XdsServer> {
    return startXdsServer({
      listen,
      credentials: served,
      trustBundle: trust,
      authorize: (id, spiffeIds) => {
        if (id === node.id && spiffeIds.includes(identity)) return { ok: true, proxy: id };
        return { ok: false, reason: `the certificate of ${spiffeIds.join()} does not belong to ${id}` };
      },
      resources: (proxy) => (proxy === node.id ? current : undefined),
      onOutcome: (outcome) => {
        outcomes.push(outcome);
        onOutcome();
      },
      logger: pino({ level: "silent" }),
    });
  }

  function connect(options: Partial<ClientOptions> = {}): AdsClient {
    const made = new AdsClient({ address: server.address, root: authority.root, credentials: client, ...options });
    opened.push(made);
    return made;
  }

  function nextOutcome(): Promise<void> {
    return new Promise((resolve) => (onOutcome = resolve));
  }

  it("serves, sends a change, and measures until it is acknowledged", async () => {
    const ads = connect();
    ads.send("cluster", { node });
    const first = await ads.next();
    ads.acknowledge("cluster", first);

    current = resources({ a: cluster("a", 1), b: cluster("b", 2) });
    server.publish();
    const second = await ads.next();
    const answered = nextOutcome();
    ads.acknowledge("cluster", second);
    await answered;

    expect(clustersOf(first)).toEqual(["a=1s"]);
    expect(first.typeUrl).toBe("type.googleapis.com/envoy.config.cluster.v3.Cluster");
    expect(clustersOf(second)).toEqual(["b=2s"]);
    expect(server.connected()).toEqual(["shop/web-1"]);
    expect(server.lastConvergence()).toMatchObject({ proxies: 1, told: 1, refused: 0 });
    expect(server.openPublishes()).toBe(0);
  });

  it("reports a refusal, keeps quiet about that version, and sends the next", async () => {
    const ads = connect();
    ads.send("cluster", { node });
    const refused = await ads.next();
    const answered = nextOutcome();
    ads.send("cluster", { responseNonce: refused.nonce, errorDetail: { code: 13, message: "no such thing" } });
    await answered;
    server.publish();

    current = resources({ a: cluster("a", 2) });
    server.publish();
    const next = await ads.next();

    expect(outcomes).toEqual([{ kind: "refused", proxy: "shop/web-1", type: "cluster", names: ["a"], sentence: "no such thing" }]);
    expect(clustersOf(next)).toEqual(["a=2s"]);
    expect(ads.unread()).toBe(0);
  });

  it("answers a re-subscription and an unknown name", async () => {
    const ads = connect();
    ads.send("cluster", { node, resourceNamesSubscribe: ["a", "nobody"] });
    const first = await ads.next();
    ads.acknowledge("cluster", first);
    ads.send("cluster", { resourceNamesSubscribe: ["a"] });
    const again = await ads.next();

    expect([clustersOf(first), first.removedResources]).toEqual([["a=1s"], ["nobody"]]);
    expect([clustersOf(again), again.removedResources]).toEqual([["a=1s"], []]);
  });

  it("sends a client that comes back after a restart only changes and removals", async () => {
    const before = connect();
    before.send("cluster", { node });
    const [entry] = (await before.next()).resources;
    await server.stop();
    expect((await before.ended).code).toBe(status.UNAVAILABLE);

    current = resources({ a: cluster("a", 1), b: cluster("b", 1) });
    server = await start("127.0.0.1:0");
    const after = connect();
    after.send("cluster", { node, initialResourceVersions: { a: entry?.version ?? "", gone: "x" } });
    const changes = await after.next();
    after.acknowledge("cluster", changes);
    const removals = await after.next();

    expect(clustersOf(changes)).toEqual(["b=1s"]);
    expect(removals.removedResources).toEqual(["gone"]);
  });

  it("tells nothing to a proxy that is not known yet, then everything", async () => {
    current = undefined;
    const ads = connect();
    ads.send("cluster", { node });
    ads.send("listener");

    while (server.connected().length === 0) await new Promise(setImmediate);
    current = resources({ a: cluster("a", 1) });
    server.publish();

    expect(clustersOf(await ads.next())).toEqual(["a=1s"]);
  });

  it("keeps the last good bytes of a resource that cannot be encoded", async () => {
    const ads = connect();
    ads.send("cluster", { node });
    ads.acknowledge("cluster", await ads.next());

    current = resources({ a: { name: "a", nonsense: true }, b: cluster("b", 1) });
    server.publish();

    expect(clustersOf(await ads.next())).toEqual(["b=1s"]);
    expect(outcomes.filter(({ kind }) => kind === "refused")).toEqual([
      expect.objectContaining({ proxy: "shop/web-1", type: "cluster", names: ["a"], sentence: expect.stringContaining('key "nonsense" is unknown') }),
    ]);
  });

  it("refuses a node id that the certificate does not own", async () => {
    const ads = connect();
    ads.send("cluster", { node: { id: "shop/other" } });

    expect(await ads.ended).toEqual({ code: status.PERMISSION_DENIED, details: `the certificate of ${identity} does not belong to shop/other` });
  });

  it("refuses another node id later in the stream", async () => {
    const ads = connect();
    ads.send("cluster", { node });
    await ads.next();
    ads.send("cluster", { node: { id: "shop/other" } });

    expect((await ads.ended).code).toBe(status.PERMISSION_DENIED);
  });

  it("refuses a client without a certificate, and one of a foreign authority", async () => {
    const foreign = await createTestAuthority();

    for (const credentials of [undefined, await foreign.workload(identity)]) {
      const ads = connect({ credentials });
      ads.send("cluster", { node });
      expect((await ads.ended).code).toBe(status.UNAVAILABLE);
    }
    expect(server.connected()).toEqual([]);
  });

  it("refuses a control plane's serving certificate, which is nobody's identity", async () => {
    const ads = connect({ credentials: await authority.serving(["shop"]) });
    ads.send("cluster", { node });

    expect([status.UNAVAILABLE, status.PERMISSION_DENIED]).toContain((await ads.ended).code);
  });

  it.each([
    { what: "no node", send: (ads: AdsClient) => ads.send("cluster"), code: status.INVALID_ARGUMENT, details: /no node id/ },
    {
      what: "a type that weft does not serve",
      send: (ads: AdsClient) => ads.send("cluster", { node, typeUrl: "type.googleapis.com/x.Secret" }),
      code: status.INVALID_ARGUMENT,
      details: /does not serve the type/,
    },
    {
      what: "a name that none of ours can be",
      send: (ads: AdsClient) => ads.send("endpoint", { node, resourceNamesSubscribe: ["x".repeat(1025)] }),
      code: status.INVALID_ARGUMENT,
      details: /longer than 1024/,
    },
    {
      what: "a storm of requests",
      send: (ads: AdsClient) => {
        for (let count = 0; count < 3000; count++) ads.send("cluster", { node, responseNonce: "none" });
      },
      code: status.RESOURCE_EXHAUSTED,
      details: /more requests/,
    },
    { what: "bytes that are no request", send: (ads: AdsClient) => ads.raw(new Uint8Array([255, 255, 255])), code: status.INTERNAL, details: /./ },
    { what: "more bytes than a mesh has", send: (ads: AdsClient) => ads.raw(new Uint8Array(5 << 20)), code: status.RESOURCE_EXHAUSTED, details: /./ },
  ])("ends a stream with $what, and lives", async ({ send, code, details }) => {
    const ads = connect();
    send(ads);
    const end = await ads.ended;
    const other = connect();
    other.send("cluster", { node });

    expect(end.code).toBe(code);
    expect(end.details).toMatch(details);
    expect(clustersOf(await other.next())).toEqual(["a=1s"]);
  });

  it("lets the oldest stream of a proxy give way, and goes on when streams come and go", async () => {
    const streams: AdsClient[] = [];
    for (let count = 0; count < 20; count++) {
      const ads = connect();
      ads.send("cluster", { node });
      await ads.next();
      streams.push(ads);
    }

    expect(await streams[0]?.ended).toEqual({ code: status.RESOURCE_EXHAUSTED, details: "the proxy has opened 4 newer streams" });
    current = resources({ a: cluster("a", 2) });
    for (const ads of streams) ads.send("cluster", { responseNonce: "1" });
    server.publish();
    const told = await streams.at(-1)?.next();
    expect(told?.resources.map(({ name, version }) => ({ name, changed: version !== "" }))).toEqual([{ name: "a", changed: true }]);
  });

  it("keeps a few answers for a client that does not read, and refuses more streams of it", async () => {
    current = resources({ a: { name: "a", altStatName: "x".repeat(200_000) } });
    const deaf = Array.from({ length: 8 }, () => openDeaf({ port: server.address.split(":")[1] ?? "", credentials: client, node }));
    await expect.poll(() => server.connected()).toEqual([node.id]);
    await Promise.all(deaf.map(({ asked }) => asked));

    const refused = await eventually(async () => {
      const ads = connect();
      ads.send("cluster", { node });
      return Promise.race([ads.ended, ads.next().then(() => undefined)]);
    });

    expect(refused).toEqual({ code: status.PERMISSION_DENIED, details: "shop/web-1 has 8 streams that it does not read" });
    for (const { close } of deaf) close();
    const after = await eventually(async () => {
      const ads = connect();
      ads.send("cluster", { node });
      return Promise.race([ads.next().then(({ resources: [first] }) => first?.name), ads.ended.then(() => undefined)]);
    });
    expect(after).toBe("a");
  });

  it("refuses state-of-the-world xDS and says what to set", async () => {
    const ads = connect({ method: "StreamAggregatedResources" });
    ads.send("cluster", { node });

    expect(await ads.ended).toEqual({ code: status.UNIMPLEMENTED, details: "weft serves delta xDS only; set api_type: DELTA_GRPC in ads_config" });
  });

  it("takes a new certificate and a new trust bundle without ending streams", async () => {
    const old = connect();
    old.send("cluster", { node });
    old.acknowledge("cluster", await old.next());
    const next = await createTestAuthority();
    served.replace(await next.serving(["localhost"]));
    trust.replace(authority.root + next.root);

    const fresh = connect({ root: next.root, credentials: await next.workload(identity) });
    fresh.send("cluster", { node });
    await fresh.next();
    current = resources({ a: cluster("a", 3) });
    server.publish();

    expect(clustersOf(await old.next())).toEqual(["a=3s"]);
  });
});
