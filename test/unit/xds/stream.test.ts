import { describe, expect, it } from "vitest";
import { emptyView, type ProxyView } from "../../../src/xds/cache.ts";
import { initialState, step, streamLimits, type StepResult, type StreamEvent } from "../../../src/xds/stream.ts";
import type { DeltaRequest } from "../../../src/xds/subscription.ts";
import type { ResourceType } from "../../../src/std/resource-set.ts";

/** A view from `{ cluster: { a: "1" } }`: names and versions. */
function view(content: Partial<Record<ResourceType, Record<string, string>>>): ProxyView {
  const { cluster = {}, endpoint = {}, listener = {}, route = {} } = content;
  return { cluster: entriesOf(cluster), endpoint: entriesOf(endpoint), listener: entriesOf(listener), route: entriesOf(route) };
}

function entriesOf(versions: Record<string, string>): ProxyView[ResourceType] {
  return new Map(Object.entries(versions).map(([name, version]) => [name, { version, entry: new TextEncoder().encode(`${name}@${version}`), endpoints: name }]));
}

function request(type: ResourceType, rest: Partial<DeltaRequest> = {}): StreamEvent {
  return {
    kind: "request",
    request: { type, subscribe: [], unsubscribe: [], initialVersions: new Map(), nonce: "", error: undefined, ...rest },
  };
}

/** Runs the events and tells, per event, what went out: `cluster#1 +a@1 -b`. */
function run(events: readonly StreamEvent[]): { readonly log: string[][]; readonly last: StepResult } {
  let last: StepResult = { state: initialState, responses: [], outcome: undefined, wait: undefined, violation: undefined };
  const log = events.map((event) => {
    last = step(last.state, event);
    return last.responses.map(({ type, nonce, resources, removed }) =>
      [`${type}#${nonce}`, ...resources.map(({ entry }) => `+${new TextDecoder().decode(entry)}`), ...removed.map((name) => `-${name}`)].join(" "),
    );
  });
  return { log, last };
}

const start: StreamEvent = { kind: "view", view: view({ cluster: { a: "1" }, endpoint: { a: "1" }, listener: { l: "1" }, route: { r: "1" } }) };

/** An Envoy's start, up to the point where it has everything. */
const envoyStart: readonly StreamEvent[] = [
  start,
  request("cluster"),
  request("cluster", { nonce: "1" }),
  request("endpoint", { subscribe: ["a"] }),
  request("endpoint", { nonce: "2" }),
  request("listener"),
  request("listener", { nonce: "3" }),
  request("route", { subscribe: ["r"] }),
  request("route", { nonce: "4" }),
];

describe("a delta ADS stream", () => {
  it("answers an Envoy's start type by type", () => {
    const { log, last } = run(envoyStart);

    expect(log).toEqual([[], ["cluster#1 +a@1"], [], ["endpoint#2 +a@1"], [], ["listener#3 +l@1"], [], ["route#4 +r@1"], []]);
    expect(last.wait).toBeUndefined();
  });

  it("answers the first wildcard request even with nothing, so that the client's start goes on", () => {
    expect(run([{ kind: "view", view: emptyView }, request("cluster")]).log).toEqual([[], ["cluster#1"]]);
  });

  it("tells nothing while the view is not known, and answers when it is", () => {
    const { log } = run([{ kind: "view", view: undefined }, request("cluster"), start]);

    expect(log).toEqual([[], [], ["cluster#1 +a@1"]]);
  });

  it("takes nothing away when the view is lost", () => {
    expect(run([...envoyStart, { kind: "view", view: undefined }]).log.at(-1)).toEqual([]);
  });

  it("sends only what changed, in make-before-break order, each after the answer to the one before", () => {
    const next = view({ cluster: { a: "1", b: "1" }, endpoint: { a: "1", b: "1" }, listener: { l: "2" }, route: { r: "2" } });
    const { log } = run([
      ...envoyStart,
      { kind: "view", view: next },
      request("cluster", { nonce: "5" }),
      request("endpoint", { subscribe: ["b"] }),
      request("endpoint", { nonce: "6" }),
      request("listener", { nonce: "7" }),
      request("route", { nonce: "8" }),
    ]);

    expect(log.slice(9)).toEqual([["cluster#5 +b@1"], [], ["endpoint#6 +b@1"], ["listener#7 +l@2"], ["route#8 +r@2"], []]);
  });

  it("removes last, and listeners and routes before the clusters that they use", () => {
    const next = view({ route: { r: "2" } });
    const { log } = run([
      ...envoyStart,
      { kind: "view", view: next },
      request("route", { nonce: "5" }),
      request("listener", { nonce: "6" }),
      request("cluster", { nonce: "7" }),
      request("endpoint", { unsubscribe: ["a"], nonce: "8" }),
    ]);

    expect(log.slice(9)).toEqual([["route#5 +r@2"], ["listener#6 -l"], ["cluster#7 -a"], ["endpoint#8 -a"], []]);
  });

  it("sends a new cluster the endpoints that another one has already, without waiting for its answer", () => {
    const shared = view({ cluster: { a: "1", a_raw: "1" }, endpoint: { a: "1" }, listener: { l: "1" }, route: { r: "1" } });
    const raw = { version: "1", entry: new TextEncoder().encode("a_raw@1"), endpoints: "a" };
    const next = { ...shared, cluster: new Map([...shared.cluster, ["a_raw", raw]]) };
    const { log } = run([...envoyStart, { kind: "view", view: next }, request("cluster", { nonce: "5" })]);

    expect(log.slice(9)).toEqual([["cluster#5 +a_raw@1", "endpoint#6 +a@1"], []]);
  });

  it("sends the endpoints of a changed cluster again at once: Envoy answers for a cluster only when it is warm", () => {
    const next = view({ cluster: { a: "2" }, endpoint: { a: "1" }, listener: { l: "1" }, route: { r: "1" } });
    const { log } = run([...envoyStart, { kind: "view", view: next }, request("cluster", { nonce: "5" })]);

    expect(log.slice(9)).toEqual([["cluster#5 +a@2", "endpoint#6 +a@1"], []]);
  });

  it("merges changes that come while an answer is awaited", () => {
    const changes = ["2", "3", "4"].map(
      (version): StreamEvent => ({ kind: "view", view: view({ endpoint: { a: version }, cluster: { a: "1" }, listener: { l: "1" }, route: { r: "1" } }) }),
    );
    const { log } = run([...envoyStart, ...changes, request("endpoint", { nonce: "5" })]);

    expect(log.slice(9)).toEqual([["endpoint#5 +a@2"], [], [], ["endpoint#6 +a@4"]]);
  });

  it("reports a refusal, does not send the same version again, but the next one", () => {
    const refused = view({ cluster: { a: "1" }, endpoint: { a: "1" }, listener: { l: "bad" }, route: { r: "1" } });
    const good = view({ cluster: { a: "1" }, endpoint: { a: "1" }, listener: { l: "1" }, route: { r: "1" } });
    const nack = run([...envoyStart, { kind: "view", view: refused }, request("listener", { nonce: "5", error: "no such filter" })]);

    expect(nack.log.slice(9)).toEqual([["listener#5 +l@bad"], []]);
    expect(nack.last.outcome).toEqual({ kind: "refused", type: "listener", names: ["l"], sentence: "no such filter" });
    expect(nack.last.wait).toBeUndefined();
    expect(run([...envoyStart, { kind: "view", view: refused }, request("listener", { nonce: "5", error: "x" }), { kind: "view", view: refused }, { kind: "view", view: good }]).log.slice(11)).toEqual([
      [],
      ["listener#6 +l@1"],
    ]);
  });

  it("goes on with later types after a cluster was refused", () => {
    const next = view({ cluster: { a: "1", b: "bad" }, endpoint: { a: "1", b: "1" }, listener: { l: "2" }, route: { r: "1" } });
    const { log } = run([...envoyStart, { kind: "view", view: next }, request("cluster", { nonce: "5", error: "bad cluster" })]);

    expect(log.slice(9)).toEqual([["cluster#5 +b@bad"], ["listener#6 +l@2"]]);
  });

  it("answers a re-subscription although the client has the resource", () => {
    expect(run([...envoyStart, request("route", { subscribe: ["r"] })]).log.at(-1)).toEqual(["route#5 +r@1"]);
  });

  it("answers a name that does not exist as removed, and sends it when it appears", () => {
    const later = view({ cluster: { a: "1" }, endpoint: { a: "1" }, listener: { l: "1" }, route: { r: "1", x: "1" } });
    const { log } = run([...envoyStart, request("route", { subscribe: ["x"] }), request("route", { nonce: "5" }), { kind: "view", view: later }]);

    expect(log.slice(9)).toEqual([["route#5 -x"], [], ["route#6 +x@1"]]);
  });

  it("honours the names of a request with a stale nonce, not its answer", () => {
    const { log, last } = run([...envoyStart, request("route", { nonce: "99", error: "late", subscribe: ["x"] })]);

    expect(log.at(-1)).toEqual(["route#5 -x"]);
    expect(last.outcome).toBeUndefined();
  });

  it("does not answer an unsubscription, and no longer sends the name", () => {
    const next = view({ cluster: { a: "1" }, endpoint: { a: "1" }, listener: { l: "1" }, route: { r: "2" } });

    expect(run([...envoyStart, request("route", { unsubscribe: ["r"] }), { kind: "view", view: next }]).log.slice(9)).toEqual([[], []]);
  });

  it("answers an unsubscription from a name that the wildcard still covers", () => {
    expect(run([...envoyStart, request("listener", { unsubscribe: ["l"] })]).log.at(-1)).toEqual(["listener#5 +l@1"]);
  });

  it("ends the wildcard on request", () => {
    const next = view({ cluster: { a: "1" }, endpoint: { a: "1" }, listener: { l: "2" }, route: { r: "1" } });

    expect(run([...envoyStart, request("listener", { unsubscribe: ["*"] }), { kind: "view", view: next }]).log.slice(9)).toEqual([[], []]);
  });

  it("takes an empty first request as wildcard for clusters and listeners only", () => {
    expect(run([start, request("endpoint"), request("route"), request("cluster")]).log).toEqual([[], ["endpoint#1"], ["route#2"], ["cluster#3 +a@1"]]);
  });

  it("sends only changes and removals to a client that comes back with versions", () => {
    const now = view({ cluster: { a: "1", b: "2" }, endpoint: { a: "1" }, listener: { l: "1" }, route: { r: "2" } });
    const { log, last } = run([
      { kind: "view", view: now },
      request("cluster", { initialVersions: new Map([["a", "1"], ["b", "1"], ["gone", "1"]]) }),
      request("endpoint", { subscribe: ["a"], initialVersions: new Map([["a", "1"]]) }),
      request("listener", { initialVersions: new Map([["l", "1"]]) }),
      request("route", { subscribe: ["r"], initialVersions: new Map([["r", "1"]]) }),
      request("cluster", { nonce: "1" }),
      request("route", { nonce: "2" }),
    ]);

    expect(log).toEqual([[], ["cluster#1 +b@2"], [], [], ["route#2 +r@2"], [], ["cluster#3 -gone"]]);
    expect(last.wait).toBe("answer");
  });

  it("does not remove on a new stream before the client was quiet", () => {
    const { log, last } = run([start, request("cluster", { initialVersions: new Map([["a", "1"], ["gone", "1"]]) })]);

    expect(log.at(-1)).toEqual([]);
    expect(last.wait).toBe("quiet");
    expect(step(last.state, { kind: "timeout" }).responses.map(({ removed }) => removed)).toEqual([["gone"]]);
  });

  it("sends a reconnecting client the endpoints of a changed cluster, although it has that version", () => {
    const now = view({ cluster: { a: "2" }, endpoint: { a: "1" } });
    const { log } = run([
      { kind: "view", view: now },
      request("cluster", { initialVersions: new Map([["a", "1"]]) }),
      request("endpoint", { subscribe: ["a"], initialVersions: new Map([["a", "1"]]) }),
    ]);

    expect(log).toEqual([[], ["cluster#1 +a@2"], ["endpoint#2 +a@1"]]);
  });

  it("does not wait for ever for a client that does not answer", () => {
    const next = view({ cluster: { a: "1" }, endpoint: { a: "2" }, listener: { l: "2" }, route: { r: "1" } });

    expect(run([...envoyStart, { kind: "view", view: next }, { kind: "timeout" }]).log.slice(9)).toEqual([["endpoint#5 +a@2"], ["listener#6 +l@2"]]);
  });

  it("tells what is asked for again while it is on its way once more, when the client has answered", () => {
    const { log } = run([
      { kind: "view", view: view({ cluster: { a: "1" }, route: { r: "1", s: "1" } }) },
      request("route", { subscribe: ["r"] }),
      request("route", { subscribe: ["r"] }),
      request("route", { subscribe: ["r"] }),
      request("route", { subscribe: ["s"] }),
      request("route", { nonce: "2" }),
      request("route", { nonce: "1" }),
      request("cluster"),
      request("cluster", { subscribe: ["*"] }),
      request("cluster", { subscribe: ["*"] }),
    ]);

    expect(log).toEqual([[], ["route#1 +r@1"], [], [], ["route#2 +s@1"], [], ["route#3 +r@1"], ["cluster#4 +a@1"], [], []]);
  });

  it("ends a stream that asks again and again without answering", () => {
    const flood = Array.from({ length: streamLimits.deliveries + 1 }, (_, index) => request("route", { subscribe: [`r${index}`] }));

    expect(run([start, ...flood]).last.violation).toBe("more than 1000 responses without an answer");
  });

  it("ends a stream that subscribes to more names than a mesh has", () => {
    const names = Array.from({ length: streamLimits.names + 1 }, (_, index) => `n${index}`);

    expect(run([start, request("route", { subscribe: names })]).last.violation).toBe("more than 50000 route names");
  });
});
