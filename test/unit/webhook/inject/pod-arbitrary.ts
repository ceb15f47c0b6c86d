import fastCheck, { type Arbitrary } from "fast-check";

type Json = Readonly<Record<string, unknown>>;

/** A pod with one container and a liveness probe. */
export function withProbe(name: string, httpGet: object): Json {
  return { metadata: { name: "p" }, spec: { containers: [{ name, livenessProbe: { httpGet } }] } };
}

const name = fastCheck.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const httpGet = fastCheck.record(
  {
    port: fastCheck.oneof(fastCheck.integer({ min: 1, max: 65_535 }), fastCheck.constantFrom("http", "missing", "8080")),
    path: fastCheck.string(),
    scheme: fastCheck.constantFrom("HTTP", "HTTPS"),
    host: fastCheck.constantFrom("", "example.org"),
    httpHeaders: fastCheck.array(fastCheck.record({ name: fastCheck.string(), value: fastCheck.string() }), { maxLength: 2 }),
    unknownField: fastCheck.jsonValue(),
  },
  { requiredKeys: ["port"] },
);
const tcpSocket = fastCheck.record({ port: fastCheck.oneof(fastCheck.integer({ min: 1, max: 99 }), fastCheck.constantFrom("http", "missing")), host: fastCheck.constantFrom("", "example.org") }, { requiredKeys: ["port"] });
const grpc = fastCheck.record({ port: fastCheck.integer({ min: 1, max: 99 }), service: fastCheck.oneof(fastCheck.string(), fastCheck.constant(null)) }, { requiredKeys: ["port"] });
const exec = fastCheck.constant({ command: ["true"] });
/** One action, or none, or two that the API server refuses; with `null` beside it, as templates write; in any order. */
const probe = fastCheck
  .record(
    {
      initialDelaySeconds: fastCheck.integer({ min: 0, max: 9 }),
      httpGet: fastCheck.oneof(httpGet, fastCheck.constant(null)),
      tcpSocket: fastCheck.oneof(tcpSocket, fastCheck.constant(null)),
      grpc: fastCheck.oneof(grpc, fastCheck.constant(null)),
      exec: fastCheck.oneof(exec, fastCheck.constant(null)),
      timeoutSeconds: fastCheck.integer({ min: 1, max: 9 }),
      terminationGracePeriodSeconds: fastCheck.integer({ min: 1, max: 99 }),
    },
    { requiredKeys: [] },
  )
  .chain((made) => fastCheck.shuffledSubarray(Object.entries(made)).map((entries) => Object.fromEntries(entries)));
const lifecycle = fastCheck.record({ postStart: probe, preStop: probe, stopSignal: fastCheck.constant("SIGUSR1") }, { requiredKeys: [] });
const container = fastCheck.record(
  {
    name,
    image: fastCheck.string(),
    restartPolicy: fastCheck.constantFrom("Always", "Never"),
    ports: fastCheck.constant([{ name: "http", containerPort: 8080 }]),
    livenessProbe: probe,
    readinessProbe: probe,
    startupProbe: probe,
    lifecycle: fastCheck.oneof({ arbitrary: lifecycle, weight: 4 }, fastCheck.jsonValue()),
    "x/y~z": fastCheck.jsonValue(),
  },
  { requiredKeys: ["name"] },
);

function containers(min: number): Arbitrary<unknown[]> {
  return fastCheck.uniqueArray(container, { minLength: min, maxLength: 4, selector: (item) => item.name });
}

function bareOr(list: Arbitrary<unknown>): Arbitrary<unknown> {
  return fastCheck.oneof({ arbitrary: list, weight: 4 }, fastCheck.constantFrom(null, []));
}

const annotations = fastCheck.oneof(
  { arbitrary: fastCheck.dictionary(fastCheck.stringMatching(/^[a-z~/.]{1,12}$/), fastCheck.string()), weight: 3 },
  fastCheck.constantFrom(
    null,
    {},
    { "prometheus.io/scrape": "true" },
    { "kubectl.kubernetes.io/default-container": "a" },
    { "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes": "" },
    { "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes": "a,b" },
    { "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes": "weft-run" },
  ),
);

/** Pods that can be injected, with keys absent, null and empty, strange names and fields that nobody knows. */
export function anyPod(): Arbitrary<Json> {
  const spec = fastCheck.record(
    {
      containers: containers(1),
      initContainers: bareOr(containers(0)).map((list) => (Array.isArray(list) ? list.map(renameInit) : list)),
      volumes: bareOr(fastCheck.array(fastCheck.record({ name }), { maxLength: 3 })),
      imagePullSecrets: bareOr(fastCheck.array(fastCheck.record({ name: fastCheck.constantFrom("regcred", "other") }), { maxLength: 2 })),
      securityContext: fastCheck.constant({ fsGroup: 7 }),
      unknownField: fastCheck.jsonValue(),
    },
    { requiredKeys: ["containers"] },
  );
  const someMetadata = fastCheck.record({ name, annotations, creationTimestamp: fastCheck.constant(null) }, { requiredKeys: [] });
  const metadata = fastCheck.oneof({ arbitrary: someMetadata, weight: 9 }, fastCheck.constant(null));
  return fastCheck.record({ apiVersion: fastCheck.constant("v1"), metadata, spec, status: fastCheck.jsonValue() }, { requiredKeys: ["spec"] }).map((pod) => plain(pod));
}

function renameInit(item: unknown): unknown {
  const { name: inner, ...rest } = item as { readonly name: string };
  return { name: `init-${inner}`, ...rest };
}

/** fast-check makes some objects without a prototype; pods come from JSON. */
function plain(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
