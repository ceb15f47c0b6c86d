import { readCalls, type KubeletCall } from "./kubelet-calls.ts";
import { asRecord, field, integerAt, listAt, recordAt, showScalar, textAt, type Opaque } from "./opaque.ts";

/** The two lists of a pod's spec that hold containers which exist at admission. */
export type ContainerList = "initContainers" | "containers";

export interface PortView {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
}

export interface ContainerView {
  readonly list: ContainerList;
  readonly index: number;
  readonly name: string;
  /** An init container with `restartPolicy: Always`: it lives as long as the pod. */
  readonly sidecar: boolean;
  readonly command: readonly unknown[];
  /** `runAsUser` of the container, else of the pod. */
  readonly user: number | undefined;
  readonly ports: readonly PortView[];
  /** Probes and lifecycle hooks over the network. */
  readonly calls: readonly KubeletCall[];
  /** As in the pod: names and values by position. */
  readonly env: readonly unknown[];
}

/** What the injector reads of a pod (or a pod template); everything else stays opaque in `raw`. */
export interface PodView {
  readonly raw: Opaque;
  /** `metadata.name`, or `generateName` with a `*`; may be empty in a template. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Opaque;
  readonly spec: Opaque;
  readonly hostNetwork: boolean;
  /** `spec.os.name`, else the node selector `kubernetes.io/os`; `linux` when neither is there. */
  readonly os: string;
  /** The pod declares resources as a whole, so containers need none of their own. */
  readonly podResources: boolean;
  readonly containers: readonly ContainerView[];
  readonly volumes: readonly string[];
}

/** Reads a pod or pod template; undefined when it has no `spec` object, and so is none. */
export function readPod(raw: unknown): PodView | undefined {
  const pod = asRecord(raw);
  const spec = asRecord(field(raw, "spec"));
  if (pod === undefined || spec === undefined) return undefined;
  const metadata = recordAt(pod, "metadata");
  const generateName = textAt(metadata, "generateName");
  return {
    raw: pod,
    name: textAt(metadata, "name") || (generateName === "" ? "" : `${generateName}*`),
    labels: readLabels(metadata),
    annotations: recordAt(metadata, "annotations"),
    spec,
    hostNetwork: field(spec, "hostNetwork") === true,
    os: textAt(recordAt(spec, "os"), "name") || textAt(recordAt(spec, "nodeSelector"), "kubernetes.io/os") || "linux",
    podResources: Object.keys(recordAt(spec, "resources")).length > 0,
    containers: [...readContainers(spec, "initContainers"), ...readContainers(spec, "containers")],
    volumes: listAt(spec, "volumes").map((volume) => textAt(volume, "name")),
  };
}

/** YAML reads an unquoted `true` as a boolean: its text is judged, so that the message can show it. */
function readLabels(metadata: Opaque): Record<string, string> {
  const entries = Object.entries(recordAt(metadata, "labels")).map(([key, value]): [string, string] => [key, showScalar(value)]);
  return Object.fromEntries(entries);
}

function readContainers(spec: Opaque, list: ContainerList): ContainerView[] {
  const podSecurity = recordAt(spec, "securityContext");
  return listAt(spec, list).map((container, index) => {
    const security = recordAt(container, "securityContext");
    return {
      list,
      index,
      name: textAt(container, "name"),
      sidecar: list === "initContainers" && textAt(container, "restartPolicy") === "Always",
      command: listAt(container, "command"),
      user: integerAt(security, "runAsUser") ?? integerAt(podSecurity, "runAsUser"),
      ports: listAt(container, "ports").flatMap(readPort),
      calls: readCalls(container),
      env: listAt(container, "env"),
    };
  });
}

function readPort(raw: unknown): PortView[] {
  const port = integerAt(raw, "containerPort");
  return port === undefined ? [] : [{ name: textAt(raw, "name"), port, protocol: textAt(raw, "protocol") || "TCP" }];
}
