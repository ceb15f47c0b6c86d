/** The part of a Pod that the demo's stand-in for a kubelet reads: what `weft inject` printed. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
}

export interface Container {
  readonly name: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly EnvironmentVariable[];
  readonly restartPolicy?: string;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext?: { readonly runAsUser?: number; readonly runAsGroup?: number };
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
}

export interface Probe {
  readonly httpGet?: { readonly port: number | string; readonly path?: string };
}

export interface Volume {
  readonly name: string;
  readonly emptyDir?: object;
  readonly projected?: { readonly sources?: readonly { readonly serviceAccountToken?: { readonly path: string; readonly audience?: string } }[] };
  readonly configMap?: { readonly name: string };
}

export interface PodDocument {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly serviceAccountName?: string;
    readonly initContainers?: readonly Container[];
    readonly containers: readonly Container[];
    readonly volumes?: readonly Volume[];
  };
}

/** What the downward API knows of the pod. */
export type DownwardFields = Readonly<Record<string, string>>;

/** The environment of a container, `$(NAME)` and the downward API resolved as the kubelet does. */
export function containerEnvironment(container: Container, fields: DownwardFields): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env ?? []) {
    const path = valueFrom?.fieldRef?.fieldPath;
    environment[name] = path === undefined ? expand(value ?? "", environment) : (fields[path] ?? "");
  }
  return environment;
}

/** Command and arguments, `$(NAME)` resolved from the container's environment. */
export function containerCommand(container: Container, environment: Readonly<Record<string, string>>): string[] {
  return [...(container.command ?? []), ...(container.args ?? [])].map((word) => expand(word, environment));
}

/** `$(NAME)` becomes its value, `$$(NAME)` stays as `$(NAME)`, an unknown name stays as it is (Kubernetes' rule). */
function expand(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(\$?)\(([A-Za-z_][A-Za-z0-9_.-]*)\)/g, (whole, escaped: string, name: string) =>
    escaped === "$" ? whole.slice(1) : (environment[name] ?? whole),
  );
}

/** A probe's port may be named after one of the container's. */
export function probePort(container: Container, port: number | string): number | string {
  return container.ports?.find(({ name }) => name === port)?.containerPort ?? port;
}
