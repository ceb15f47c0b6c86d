import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resourceTypes, type ResourceType } from "../../../src/std/resource-set.ts";
import type { ProxyView } from "../../../src/xds/cache.ts";
import { initialState, step, type DeltaResponse, type StepResult, type StreamEvent } from "../../../src/xds/stream.ts";
import type { DeltaRequest } from "../../../src/xds/subscription.ts";

/** Per type: version by name. */
type Content = Record<ResourceType, Record<string, number>>;
type Action = { readonly kind: "change"; readonly content: Content } | { readonly kind: "deliver" | "refuse" | "reconnect" | "timeout" };

const versions = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.integer({ min: 1, max: 3 }));
/** Endpoints exist for clusters, routes for listeners: as our builder makes them. */
const content: fc.Arbitrary<Content> = fc
  .tuple(versions, versions, versions, versions)
  .map(([cluster, endpoint, listener, route]) => ({ cluster, endpoint: only(endpoint, cluster), listener, route: only(route, listener) }));
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: content.map((value): Action => ({ kind: "change", content: value })) },
  { weight: 6, arbitrary: fc.constant<Action>({ kind: "deliver" }) },
  { weight: 1, arbitrary: fc.constantFrom<Action>({ kind: "refuse" }, { kind: "reconnect" }, { kind: "timeout" }) },
);

function only(values: Record<string, number>, names: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name in names));
}

function viewOf(value: Content): ProxyView {
  return { cluster: entriesOf(value.cluster), endpoint: entriesOf(value.endpoint), listener: entriesOf(value.listener), route: entriesOf(value.route) };
}

function entriesOf(values: Record<string, number>): ProxyView[ResourceType] {
  return new Map(Object.entries(values).map(([name, version]) => [name, { version: String(version), entry: new TextEncoder().encode(`${name}@${version}`), endpoints: name }]));
}

/** A client as Envoy is: wildcards for clusters and listeners, endpoints by cluster, routes by listener. */
class Client {
  readonly has: Record<ResourceType, Map<string, string>> = { cluster: new Map(), endpoint: new Map(), listener: new Map(), route: new Map() };
  #asked: Record<"endpoint" | "route", Set<string>> = { endpoint: new Set(), route: new Set() };
  #inbox: DeltaResponse[] = [];
  #result: StepResult = { state: initialState, responses: [], outcome: undefined, wait: undefined, violation: undefined };
  view: ProxyView;

  constructor(first: ProxyView) {
    this.view = first;
    this.connect();
  }

  connect(): void {
    this.#inbox = [];
    this.#result = { ...this.#result, state: initialState };
    this.send({ kind: "view", view: this.view });
    for (const type of resourceTypes) {
      const subscribe = type === "endpoint" || type === "route" ? [...this.#asked[type]] : [];
      if ((type === "endpoint" || type === "route") && subscribe.length === 0) continue;
      this.request(type, { subscribe, initialVersions: new Map(this.has[type]) });
    }
  }

  send(event: StreamEvent): void {
    this.#result = step(this.#result.state, event);
    if (this.#result.violation !== undefined) throw new Error(this.#result.violation);
    for (const response of this.#result.responses) {
      const names = [...response.resources.map(({ entry }) => new TextDecoder().decode(entry).split("@")[0]), ...response.removed];
      if (new Set(names).size !== names.length) throw new Error(`a name stands twice in ${names.join()}`);
    }
    this.#inbox.push(...this.#result.responses);
  }

  request(type: ResourceType, rest: Partial<DeltaRequest>): void {
    this.send({ kind: "request", request: { type, subscribe: [], unsubscribe: [], initialVersions: new Map(), nonce: "", error: undefined, ...rest } });
  }

  /** Takes the oldest response; a refused one changes nothing here. */
  deliver(refuse: boolean): boolean {
    const response = this.#inbox.shift();
    if (response === undefined) return false;
    const { type, nonce } = response;
    if (refuse) {
      this.request(type, { nonce, error: "refused" });
      return true;
    }
    for (const { entry } of response.resources) {
      const [name = "", version = ""] = new TextDecoder().decode(entry).split("@");
      this.has[type].set(name, version);
    }
    for (const name of response.removed) this.has[type].delete(name);
    this.request(type, { nonce });
    if (type === "cluster") this.follow("endpoint", this.has.cluster);
    if (type === "listener") this.follow("route", this.has.listener);
    return true;
  }

  /** Subscribes to what its clusters (listeners) need, and drops the rest. */
  follow(type: "endpoint" | "route", owners: ReadonlyMap<string, string>): void {
    const subscribe = [...owners.keys()].filter((name) => !this.#asked[type].has(name));
    const unsubscribe = [...this.#asked[type]].filter((name) => !owners.has(name));
    this.#asked[type] = new Set(owners.keys());
    for (const name of unsubscribe) this.has[type].delete(name);
    if (subscribe.length + unsubscribe.length > 0) this.request(type, { subscribe, unsubscribe });
  }

  settle(): void {
    let rounds = 0;
    do {
      while (this.deliver(false)) rounds++;
      if (this.#result.wait !== undefined) this.send({ kind: "timeout" });
    } while (rounds++ < 500 && (this.#inbox.length > 0 || this.#result.wait !== undefined));
    if (rounds >= 500) throw new Error("does not come to rest");
  }
}

function perform(client: Client, todo: Action): void {
  switch (todo.kind) {
    case "change":
      client.view = viewOf(todo.content);
      return client.send({ kind: "view", view: client.view });
    case "deliver":
    case "refuse":
      return void client.deliver(todo.kind === "refuse");
    case "reconnect":
      return client.connect();
    case "timeout":
      return client.send({ kind: "timeout" });
  }
}

function versionsOf(resources: ProxyView[ResourceType]): Record<string, string> {
  return Object.fromEntries([...resources].map(([name, { version }]) => [name, version]));
}

describe("a delta ADS stream, whatever happens", () => {
  it("leaves a client that accepts everything with exactly its view, in finitely many responses", () => {
    fc.assert(
      fc.property(content, fc.array(action.filter(({ kind }) => kind !== "refuse"), { maxLength: 40 }), (first, actions) => {
        const client = new Client(viewOf(first));
        for (const todo of actions) perform(client, todo);

        client.settle();

        for (const type of resourceTypes) expect({ type, has: Object.fromEntries(client.has[type]) }).toEqual({ type, has: versionsOf(client.view[type]) });
      }),
      { numRuns: 500 },
    );
  });

  it("comes to rest although the client refuses now and then, and a new version is all it takes to be right again", () => {
    fc.assert(
      fc.property(content, fc.array(action, { maxLength: 40 }), (first, actions) => {
        const client = new Client(viewOf(first));
        for (const todo of actions) perform(client, todo);
        client.settle();

        const fresh = Object.fromEntries(resourceTypes.map((type) => [type, Object.fromEntries([...client.view[type].keys()].map((name) => [name, 9]))])) as Content;
        perform(client, { kind: "change", content: fresh });
        client.settle();

        for (const type of resourceTypes) for (const name of Object.keys(fresh[type])) expect(client.has[type].get(name)).toBe("9");
      }),
      { numRuns: 500 },
    );
  });
});
