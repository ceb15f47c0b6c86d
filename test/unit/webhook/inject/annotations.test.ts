import jsonPatch from "fast-json-patch";
import { describe, expect, it } from "vitest";
import { createInjector } from "../../../../webhook/inject/injector.ts";
import { uninject } from "../../../../webhook/inject/uninject.ts";
import { config, facts, monitor } from "./mesh-fixture.ts";

type Texts = Readonly<Record<string, string>>;
interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly resources?: object;
  readonly restartPolicy?: string;
}
interface InjectedPod {
  readonly spec: { readonly initContainers: readonly Container[]; readonly containers: readonly Container[] };
}

const mesh = facts({ monitors: [monitor("all", {})] });

function podWith(annotations: Readonly<Record<string, unknown>>, spec: object = {}): Readonly<Record<string, unknown>> {
  const own = Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`weft.mesh/${name}`, value]));
  return { metadata: { name: "p", annotations: own }, spec: { containers: [{ name: "app", image: "app:1" }], ...spec } };
}

function decideOn(pod: Readonly<Record<string, unknown>>, namespace: Texts = {}) {
  const annotations = Object.fromEntries(Object.entries(namespace).map(([name, value]) => [`weft.mesh/${name}`, value]));
  const injection = createInjector(config, "1.36").inject({ pod, namespace: "shop", facts: { ...mesh, annotations } });
  if (injection === undefined) throw new Error("no pod");
  return injection;
}

function inject(pod: Readonly<Record<string, unknown>>, namespace: Texts = {}) {
  const { decision, patch } = decideOn(pod, namespace);
  expect(decision.code).toBe("injected");
  const injected: unknown = jsonPatch.applyPatch(structuredClone(pod), JSON.parse(patch), true).newDocument;
  expect(uninject(injected as Readonly<Record<string, unknown>>)).toStrictEqual(pod);
  return (injected as InjectedPod).spec;
}

function find(containers: readonly Container[], name: string): Container {
  const found = containers.find((container) => container.name === name);
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
}

function sentenceOf(annotations: Readonly<Record<string, unknown>>, namespace: Texts = {}): string {
  const { decision } = decideOn(podWith(annotations), namespace);
  return `${decision.code}: ${decision.sentence}`;
}

const fixed = ["--inbound-port", "15006", "--outbound-port", "15001", "--proxy-uid", "1337"];

describe("annotations of the redirection", () => {
  it("become flags of weft init, behind the fixed ones, ours always excluded", () => {
    const { initContainers } = inject(
      podWith({
        "exclude-interfaces": "net1",
        "exclude-uids": "101, 1000-1999",
        "exclude-inbound-cidrs": "192.168.0.0/16",
        "exclude-outbound-cidrs": "169.254.169.254,fd00:ec2::254",
        "include-outbound-cidrs": "10.0.0.0/8",
        "exclude-outbound-ports": "3306",
        "include-outbound-ports": "*",
        "exclude-inbound-ports": "9100,15020",
        "include-inbound-ports": "8080,8443",
      }),
    );

    expect(find(initContainers, "weft-init").args.slice(fixed.length).join(" ").split(" --")).toEqual([
      "--include-inbound-ports 8080,8443",
      "exclude-inbound-ports 15020,15090,9100",
      "include-outbound-ports *",
      "exclude-outbound-ports 3306",
      "include-outbound-cidrs 10.0.0.0/8",
      "exclude-outbound-cidrs 169.254.169.254,fd00:ec2::254",
      "exclude-inbound-cidrs 192.168.0.0/16",
      "exclude-uids 101,1000-1999",
      "exclude-interfaces net1",
    ]);
  });

  it("need none: a pod without annotations has the fixed flags alone", () => {
    expect(find(inject(podWith({})).initContainers, "weft-init").args).toEqual([...fixed, "--exclude-inbound-ports", "15020,15090"]);
  });

  it.each(["none", "cni"])("leave weft-init out with redirection: %s", (redirection) => {
    expect(inject(podWith({ redirection })).initContainers.map(({ name }) => name)).toEqual(["weft-agent", "weft-adapter", "weft-proxy"]);
  });

  it("leave the ports of probes out where these are not rewritten", () => {
    const probed = { name: "app", image: "app:1", livenessProbe: { httpGet: { path: "/live", port: 8081 } } };

    const { initContainers, containers } = inject(podWith({ "rewrite-probes": "off", "exclude-inbound-ports": "9100" }, { containers: [probed] }));

    expect(containers[0]).toEqual(probed);
    expect(find(initContainers, "weft-init").args).toEqual([...fixed, "--exclude-inbound-ports", "15020,15090,9100,8081"]);
  });

  it("cannot leave more ports of probes out than weft init takes", () => {
    const containers = Array.from({ length: 63 }, (_, index) => ({ name: `c${index}`, readinessProbe: { httpGet: { port: 1000 + index } } }));

    const { decision } = decideOn(podWith({ "rewrite-probes": "off" }, { containers }));

    expect(`${decision.code}: ${decision.sentence}`).toBe("annotations-invalid: weft.mesh/rewrite-probes is off, which leaves 63 ports out of the redirection; at most 62 can be");
  });
});

describe("annotations of the sidecars", () => {
  it("change what they name and nothing else", () => {
    const plain = inject(podWith({}));
    const annotated = inject(podWith({ concurrency: "4", "log-level": "debug", "drain-seconds": "30", "image-pull-policy": "Always", image: "registry.example/weft/weft:2" }));

    const changed = find(annotated.initContainers, "weft-proxy");
    const { args, ...rest } = find(plain.initContainers, "weft-proxy");
    expect(changed).toEqual({ ...rest, image: "registry.example/weft/weft:2", imagePullPolicy: "Always", args: expect.any(Array) as unknown });
    expect(args.slice(-7)).toEqual(["--concurrency", "2", "--log-level", "warning", "--disable-hot-restart", "--drain-time-s", "15"]);
    expect(changed.args.slice(-7)).toEqual(["--concurrency", "4", "--log-level", "debug", "--disable-hot-restart", "--drain-time-s", "30"]);
    expect(annotated.initContainers.map(({ image }) => image)).toEqual(Array.from({ length: 4 }, () => "registry.example/weft/weft:2"));
  });

  it("change nothing of the next pod, which has none", () => {
    const injector = createInjector(config, "1.36");
    function concurrencyOf(annotations: Texts): string | undefined {
      return /"--concurrency","(\d+)"/.exec(injector.inject({ pod: podWith(annotations), namespace: "shop", facts: mesh })?.patch ?? "")?.[1];
    }

    expect([concurrencyOf({ concurrency: "4" }), concurrencyOf({}), concurrencyOf({ concurrency: "8" })]).toEqual(["4", "2", "8"]);
  });

  it("take each amount on its own, the others from the mesh configuration", () => {
    const { initContainers } = inject(podWith({ "proxy-cpu-limit": "2", "proxy-memory-request": "96Mi", "init-memory-limit": "1Gi" }));

    expect(find(initContainers, "weft-proxy").resources).toEqual({ requests: { cpu: "10m", memory: "96Mi" }, limits: { cpu: "2", memory: "96Mi" } });
    expect(find(initContainers, "weft-init").resources).toEqual({ requests: { cpu: "10m", memory: "48Mi" }, limits: { cpu: "200m", memory: "1Gi" } });
    expect(find(initContainers, "weft-agent").resources).toEqual({ requests: { cpu: "10m", memory: "48Mi" }, limits: { cpu: "200m", memory: "96Mi" } });
  });

  it("declare only the amounts that are named beside a pod that declares its own as a whole", () => {
    const { initContainers } = inject(podWith({ "proxy-cpu-limit": "50m" }, { resources: { limits: { cpu: "1" } } }));

    expect(find(initContainers, "weft-proxy").resources).toEqual({ limits: { cpu: "50m" } });
    expect(find(initContainers, "weft-agent")).not.toHaveProperty("resources");
  });

  it.each([
    ["off", ["weft-init"], ["weft-agent", "weft-adapter", "weft-proxy", "app"]],
    ["on", ["weft-init", "weft-agent", "weft-adapter", "weft-proxy"], ["app"]],
  ])("choose with native-sidecars: %s", (value, init, ordinary) => {
    const { initContainers, containers } = inject(podWith({ "native-sidecars": value }));

    expect([initContainers.map(({ name }) => name), containers.map(({ name }) => name)]).toEqual([init, ordinary]);
    expect(find([...initContainers, ...containers], "weft-proxy").restartPolicy).toBe(value === "on" ? "Always" : undefined);
  });

  it("give the proxy further variables, which mean themselves", () => {
    const { initContainers } = inject(podWith({ env: '{"TZ":"Europe/Berlin","A":"$(WEFT_POD) $$ {{x}}"}' }));

    expect(find(initContainers, "weft-proxy").env.map(({ name, value }) => [name, value])).toEqual([
      ["WEFT_NAMESPACE", undefined],
      ["WEFT_POD", undefined],
      ["TZ", "Europe/Berlin"],
      ["A", "$$(WEFT_POD) $$$$ {{x}}"],
    ]);
    expect(find(initContainers, "weft-agent").env.map(({ name }) => name)).not.toContain("TZ");
  });
});

describe("annotations of the namespace", () => {
  it("stand in for what the pod does not say", () => {
    const { initContainers } = inject(podWith({ concurrency: "3" }), { concurrency: "5", "log-level": "error" });

    expect(find(initContainers, "weft-proxy").args.slice(-7)).toEqual(["--concurrency", "3", "--log-level", "error", "--disable-hot-restart", "--drain-time-s", "15"]);
  });

  it("are not looked at where the pod says something, and are named where they are bad", () => {
    expect(sentenceOf({ concurrency: "3" }, { concurrency: "many" })).toMatch(/^injected: /);
    expect(sentenceOf({}, { concurrency: "many" })).toBe(
      `annotations-invalid: weft.mesh/concurrency is "many", and must be a whole number from 1 to 64 (of the namespace 'shop')`,
    );
  });
});

describe("what is refused", () => {
  it("is named in one message, all of it", () => {
    expect(sentenceOf({ concurrency: "0", "log-level": "loud", "proxy-cpu-request": "3", image: "other.example/weft:1" })).toBe(
      [
        'annotations-invalid: weft.mesh/concurrency is "0", and must be a whole number from 1 to 64',
        'weft.mesh/log-level is "loud", and must be trace or debug or info or warning or error or critical or off',
        "weft.mesh/image is other.example/weft:1, which injection.allowedImages of the mesh configuration does not allow",
        "weft.mesh/proxy-cpu-request (3) is more than the mesh configuration's proxy-cpu-limit (200m)",
      ].join("; "),
    );
  });

  it.each([
    [{ image: "registry.example/weft-evil/weft:1" }],
    [{ image: "registry.example/weft" }],
    [{ image: "weft/weft:0.1.1" }],
  ])("%j is no image that the operator allows", (annotations) => {
    expect(sentenceOf(annotations)).toMatch(/^annotations-invalid: weft\.mesh\/image is .* does not allow$/);
  });

  it("the image of the mesh configuration is always allowed", () => {
    expect(sentenceOf({ image: "weft/weft:0.1.0" })).toMatch(/^injected: /);
  });

  it("is shown short, on one line and in printable ASCII", () => {
    expect(sentenceOf({ concurrency: `1"\n\u0000\u202e${"x".repeat(300_000)}` })).toBe(
      `annotations-invalid: weft.mesh/concurrency is "1\\"\\n\\u0000\\u202e${"x".repeat(35)}" and so on (300005 characters), and must be a whole number from 1 to 64`,
    );
  });

  it("a value that YAML reads as a number is asked for as a text", () => {
    expect(sentenceOf({ concurrency: 4 })).toBe("annotations-invalid: weft.mesh/concurrency is 4 without quotes, and must be a whole number from 1 to 64");
  });

  it("comes after the skips and before collisions", () => {
    const bad = { concurrency: "0" };

    expect(decideOn(podWith(bad, { hostNetwork: true })).decision.code).toBe("host-network");
    expect(decideOn(podWith(bad, { securityContext: { runAsUser: 1337 } })).decision.code).toBe("annotations-invalid");
  });
});

describe("names that are not known", () => {
  it.each([
    ["weft.mesh/concurency", 'the annotation "weft.mesh/concurency" is not known; did you mean weft.mesh/concurrency?'],
    ["weft.mesh/something-else", 'the annotation "weft.mesh/something-else" is not known; it changes nothing'],
    ["weft.mesh/inject", "weft.mesh/inject is a label, and as an annotation it means nothing"],
    ["weft.mesh/a\n~/b", 'the annotation "weft.mesh/a\\n~/b" is not known; it changes nothing'],
  ])("%s is a warning", (key, warning) => {
    const { decision, warnings } = decideOn({ metadata: { annotations: { [key]: "x" } }, spec: { containers: [{ name: "app" }] } });

    expect([decision.code, warnings]).toEqual(["injected", [warning]]);
  });

  it("are told five times at most", () => {
    const annotations = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`unknown-${index}`, "x"]));

    expect(decideOn(podWith(annotations)).warnings).toHaveLength(5);
  });

  it("do not include what others write, or the status that injection leaves", () => {
    const pod = { metadata: { annotations: { "weft.mesh/status": "forged", "example.test/weft.mesh": "x" } }, spec: { containers: [{ name: "app" }] } };

    expect(decideOn(pod).warnings).toEqual([]);
  });
});

it("a container that mounts the volume with the pod's key is refused", () => {
  const thief = { name: "thief", volumeMounts: [{ name: "weft-run", mountPath: "/keys" }] };

  const { decision } = decideOn(podWith({}, { initContainers: [thief] }));

  expect(`${decision.code}: ${decision.sentence}`).toBe("name-collision: container 'thief' mounts volume 'weft-run' (no other container may): the name is one that injection uses");
});
