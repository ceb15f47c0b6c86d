/**
 * The user's probes and lifecycle hooks, which injection pointed at the agent: it asks the application as the kubelet
 * would, and answers what the kubelet would have seen.
 */
interface AnyProbe {
  readonly port: number;
  /** When the kubelet gives up; undefined for a hook, which it waits for without an end. */
  readonly timeoutSeconds: number | undefined;
}

export interface HttpProbe extends AnyProbe {
  readonly kind: "httpGet";
  readonly scheme: "HTTP" | "HTTPS";
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

export interface TcpProbe extends AnyProbe {
  readonly kind: "tcpSocket";
}

export interface GrpcProbe extends AnyProbe {
  readonly kind: "grpc";
  /** Empty = the server as a whole. */
  readonly service: string;
}

export type Probe = HttpProbe | TcpProbe | GrpcProbe;

export interface ProbeAnswer {
  readonly status: number;
  readonly body: string;
}

/** How one call is made. */
export interface Asking {
  /** The pod's own address, where its containers listen. */
  readonly host: string;
  /** undefined where the redirection does not tell sources apart. */
  readonly localAddress: string | undefined;
  /** The kubelet's, passed on. */
  readonly userAgent: string;
  readonly signal: AbortSignal;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads `WEFT_PROBES`: probes and hooks by `CONTAINER/KIND`. Throws when it is not what injection writes. */
export function parseProbes(text: string): ReadonlyMap<string, Probe> {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error("The probes are not a JSON object.");
  return new Map(Object.entries(value).map(([name, probe]) => [name, parseProbe(name, probe)]));
}

function parseProbe(name: string, value: unknown): Probe {
  if (!isObject(value)) throw new Error(`The probe ${name} is not an object.`);
  const common = { port: parsePort(name, value["port"]), timeoutSeconds: parseTimeout(name, value["timeout"]) };
  const { httpGet, tcpSocket, grpc } = value;
  if (isObject(httpGet)) return { ...common, ...parseHttp(httpGet) };
  if (isObject(tcpSocket)) return { ...common, kind: "tcpSocket" };
  if (isObject(grpc)) return { ...common, kind: "grpc", service: textOf(grpc["service"]) };
  throw new Error(`The probe ${name} has no action.`);
}

/** The action is the user's own, as Kubernetes defines it (core/v1 HTTPGetAction). */
function parseHttp(httpGet: Fields): Pick<HttpProbe, "kind" | "scheme" | "path" | "headers"> {
  const { scheme, path, httpHeaders } = httpGet;
  return {
    kind: "httpGet",
    scheme: textOf(scheme).toUpperCase() === "HTTPS" ? "HTTPS" : "HTTP",
    path: textOf(path),
    headers: Array.isArray(httpHeaders) ? httpHeaders.filter(isObject).map((header) => ({ name: textOf(header["name"]), value: textOf(header["value"]) })) : [],
  };
}

function parsePort(name: string, value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65_535) return value;
  throw new Error(`The probe ${name} has no port from 1 to 65535.`);
}

/** A day: Kubernetes allows 68 years, and timers of Node hold 24 days. */
const longestTimeout = 86_400;

function parseTimeout(name: string, value: unknown): number | undefined {
  if (value === undefined) return isHook(name) ? undefined : 1;
  return typeof value === "number" ? Math.min(Math.max(value, 1), longestTimeout) : 1;
}

function isHook(name: string): boolean {
  return name.endsWith("/postStart") || name.endsWith("/preStop");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
