import jsonPatch, { type Operation } from "fast-json-patch";
import { describe, expect, it } from "vitest";
import { createInjector } from "../../../../webhook/inject/injector.ts";
import { uninject } from "../../../../webhook/inject/uninject.ts";
import { config, facts } from "./mesh-fixture.ts";

type Json = Readonly<Record<string, unknown>>;
type Container = Json & { readonly name: string };

const always = facts({}, { "weft.mesh/inject": "always" });
const asked = { port: 15020, scheme: "HTTP" };

function podOf(containers: readonly Container[], initContainers?: readonly Container[], annotations?: Json): Json {
  return { metadata: { name: "p", ...(annotations === undefined ? {} : { annotations }) }, spec: { containers, ...(initContainers === undefined ? {} : { initContainers }) } };
}

function inject(pod: Json) {
  const injection = createInjector(config, "1.36").inject({ pod, namespace: "shop", facts: always });
  if (injection === undefined) throw new Error("no pod");
  const injected = jsonPatch.applyPatch(structuredClone(pod), JSON.parse(injection.patch) as Operation[], true).newDocument;
  return { ...injection, injected };
}

function find(pod: Json, name: string): Json {
  const { containers, initContainers = [] } = pod["spec"] as { containers: Container[]; initContainers?: Container[] };
  return [...initContainers, ...containers].find((container) => container.name === name) ?? {};
}

function environment(pod: Json, container: string): Readonly<Record<string, string>> {
  const env = find(pod, container)["env"] as readonly { readonly name: string; readonly value: string }[];
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

function entries(pod: Json): Json {
  return JSON.parse(environment(pod, "weft-agent")["WEFT_PROBES"] ?? "") as Json;
}

function argument(pod: Json, flag: string): unknown {
  const args = find(pod, "weft-init")["args"] as readonly string[];
  return args[args.indexOf(flag) + 1];
}

const ports = [
  { name: "http", containerPort: 8080 },
  { name: "grpc", containerPort: 9000 },
];

describe("what the kubelet asks over the network", () => {
  it("is asked of the agent, whatever its kind, and everything else of a probe stays where it stood", () => {
    const app = {
      name: "app",
      ports,
      startupProbe: { failureThreshold: 30, httpGet: { path: "/start", port: "http", httpHeaders: [{ name: "Host", value: "x" }] }, timeoutSeconds: 3 },
      livenessProbe: { initialDelaySeconds: 1, tcpSocket: { port: "http" }, terminationGracePeriodSeconds: 5 },
      readinessProbe: { periodSeconds: 2, grpc: { port: 9000, service: "books" }, timeoutSeconds: 4 },
      lifecycle: { postStart: { tcpSocket: { port: 8080 } }, stopSignal: "SIGUSR1", preStop: { httpGet: { path: "/bye", port: 8080, scheme: "HTTPS" } } },
    };
    const { injected, rewrites, warnings } = inject(podOf([app]));

    expect(JSON.stringify(find(injected, "app"))).toBe(
      JSON.stringify({
        name: "app",
        ports,
        startupProbe: { failureThreshold: 30, httpGet: { path: "/probes/app/startup", ...asked }, timeoutSeconds: 3 },
        livenessProbe: { initialDelaySeconds: 1, httpGet: { path: "/probes/app/liveness", ...asked }, terminationGracePeriodSeconds: 5 },
        readinessProbe: { periodSeconds: 2, httpGet: { path: "/probes/app/readiness", ...asked }, timeoutSeconds: 4 },
        lifecycle: { postStart: { httpGet: { path: "/hooks/app/postStart", ...asked } }, stopSignal: "SIGUSR1", preStop: { httpGet: { path: "/hooks/app/preStop", ...asked } } },
      }),
    );
    expect(entries(injected)).toEqual({
      "app/startup": { port: 8080, timeout: 3, httpGet: { path: "/start", port: "http", httpHeaders: [{ name: "Host", value: "x" }] } },
      "app/liveness": { port: 8080, timeout: 1, tcpSocket: { port: "http" } },
      "app/readiness": { port: 9000, timeout: 4, grpc: { port: 9000, service: "books" } },
      "app/postStart": { port: 8080, tcpSocket: { port: 8080 } },
      "app/preStop": { port: 8080, httpGet: { path: "/bye", port: 8080, scheme: "HTTPS" } },
    });
    expect([rewrites, warnings]).toEqual([
      ["containers/app/startupProbe", "containers/app/livenessProbe", "containers/app/readinessProbe", "containers/app/lifecycle/postStart", "containers/app/lifecycle/preStop"],
      [],
    ]);
    expect(JSON.stringify(uninject(injected))).toBe(JSON.stringify(podOf([app])));
  });

  it("stays as it is where nothing goes over the network", () => {
    const exec = { exec: { command: ["true"] } };
    const app = { name: "app", livenessProbe: exec, lifecycle: { postStart: exec, preStop: { sleep: { seconds: 5 } } } };
    const { injected, rewrites } = inject(podOf([app]));

    expect([find(injected, "app"), rewrites, entries(injected)]).toEqual([app, [], {}]);
  });

  it("is told apart by container, also on one port", () => {
    const probe = { httpGet: { port: 80 } };
    const { injected } = inject(podOf([{ name: "a", livenessProbe: probe, lifecycle: { preStop: probe } }, { name: "b", livenessProbe: probe }]));

    expect(Object.keys(entries(injected))).toEqual(["a/liveness", "a/preStop", "b/liveness"]);
    expect(find(injected, "b")["livenessProbe"]).toEqual({ httpGet: { path: "/probes/b/liveness", ...asked } });
  });

  it("is rewritten of the user's native sidecars, but not of containers that end", () => {
    const livenessProbe = { tcpSocket: { port: 53 } };
    const { rewrites } = inject(podOf([{ name: "app" }], [{ name: "dns", restartPolicy: "Always", livenessProbe }, { name: "once", livenessProbe }]));

    expect(rewrites).toEqual(["initContainers/dns/livenessProbe"]);
  });

  it.each([
    ["names another host", { httpGet: { port: 80, host: "elsewhere" } }, "liveness probe of 'app' stays as it is: it asks the host 'elsewhere', not the pod"],
    ["names another host for TCP", { tcpSocket: { port: 80, host: "elsewhere" } }, "liveness probe of 'app' stays as it is: it asks the host 'elsewhere', not the pod"],
    ["names a port that is not there", { tcpSocket: { port: "nowhere" } }, "liveness probe of 'app' stays as it is: its port 'nowhere' is none of the container's"],
    ["asks the agent already", { httpGet: { port: 15020, path: "/ready/agent" } }, "liveness probe of 'app' stays as it is: its port 15020 is the agent's own"],
  ])("stays as it is, with a warning, where it %s", (_title, livenessProbe, warning) => {
    const { injected, warnings } = inject(podOf([{ name: "app", livenessProbe }]));

    expect([find(injected, "app")["livenessProbe"], warnings]).toEqual([livenessProbe, [warning]]);
  });

  it.each([
    ["two actions", { httpGet: { port: 80 }, tcpSocket: { port: 80 } }],
    ["no action", { periodSeconds: 1 }],
    ["an action that is no object", { grpc: 80 }],
    ["a null probe", null],
  ])("is left to the API server with %s", (_title, livenessProbe) => {
    const { injected, rewrites } = inject(podOf([{ name: "app", livenessProbe }]));

    expect([find(injected, "app")["livenessProbe"], rewrites]).toEqual([livenessProbe, []]);
  });

  it("comes back also where templates wrote null for the other actions", () => {
    const pod = podOf([{ name: "app", livenessProbe: { exec: null, httpGet: null, tcpSocket: { port: 80 }, grpc: null, periodSeconds: 9 } }]);
    const { injected } = inject(pod);

    expect(find(injected, "app")["livenessProbe"]).toEqual({ exec: null, httpGet: { path: "/probes/app/liveness", ...asked }, tcpSocket: null, grpc: null, periodSeconds: 9 });
    expect(JSON.stringify(uninject(injected))).toBe(JSON.stringify(pod));
  });

  it("comes back from an API server, which keeps no null and has an order of its own", () => {
    const { injected } = inject(podOf([{ name: "app", livenessProbe: { httpGet: null, tcpSocket: { port: 80 } } }]));
    const stored = { ...injected, spec: { ...(injected["spec"] as Json), containers: [{ name: "app", livenessProbe: { httpGet: { path: "/probes/app/liveness", ...asked }, timeoutSeconds: 1 } }] } };

    expect(find(uninject(stored), "app")["livenessProbe"]).toEqual({ tcpSocket: { port: 80 }, timeoutSeconds: 1 });
  });

  it("stays as it is beyond what an environment variable holds", () => {
    const httpGet = { port: 80, path: `/${"x".repeat(40_000)}` };
    const { injected, warnings } = inject(podOf(["a", "b", "c"].map((name) => ({ name, livenessProbe: { httpGet } }))));

    expect(Object.keys(entries(injected))).toEqual(["a/liveness", "b/liveness"]);
    expect(warnings).toEqual(["liveness probe of 'c' stays as it is: the pod's probes are longer than 100 KB together"]);
  });
});

describe("a later webhook's change", () => {
  it("brings the hook and the gRPC probe that are new, and these alone", () => {
    const first = inject(podOf([{ name: "app", livenessProbe: { tcpSocket: { port: 1 } } }])).injected;
    const late = { name: "late", readinessProbe: { grpc: { port: 2 } }, lifecycle: { preStop: { httpGet: { port: 3 } } } };
    const changed = { ...first, spec: { ...(first["spec"] as Json), containers: [find(first, "app") as Container, late] } };

    const again = inject(changed);

    expect(again.decision.code).toBe("injected");
    expect(again.rewrites).toEqual(["containers/late/readinessProbe", "containers/late/lifecycle/preStop"]);
    expect(Object.keys(entries(again.injected))).toEqual(["app/liveness", "late/readiness", "late/preStop"]);
    expect(inject(again.injected).patch).toBe("[]");
    expect(find(uninject(again.injected), "late")).toEqual(late);
    expect(find(uninject(again.injected), "app")).toEqual({ name: "app", livenessProbe: { tcpSocket: { port: 1 } } });
  });
});

describe("weft.mesh/rewrite-probes: off", () => {
  const off = { "weft.mesh/rewrite-probes": "off" };
  const app = {
    name: "app",
    ports,
    startupProbe: { httpGet: { port: "http" } },
    livenessProbe: { tcpSocket: { port: 7000 } },
    readinessProbe: { httpGet: { port: 443, host: "elsewhere" } },
    lifecycle: { preStop: { httpGet: { port: 8080 } }, postStart: { exec: { command: ["true"] } } },
  };

  it("leaves probes and hooks as they are, and their ports out of the redirection", () => {
    const { injected, rewrites } = inject(podOf([app], undefined, off));

    expect([find(injected, "app"), rewrites, entries(injected)]).toEqual([app, [], {}]);
    expect(argument(injected, "--exclude-inbound-ports")).toBe("15020,15090,7000,8080");
    expect(inject(injected).patch).toBe("[]");
    expect(uninject(injected)).toEqual(podOf([app], undefined, off));
  });

  it("keeps what else is excluded", () => {
    expect(argument(inject(podOf([app], undefined, { ...off, "weft.mesh/exclude-inbound-ports": "9999" })).injected, "--exclude-inbound-ports")).toBe("15020,15090,9999,7000,8080");
  });
});
