import type { PortProtocol } from "./snapshot.ts";

/** Protocols whose server speaks first, or whose bytes an HTTP parser must not wait for, by their well-known ports. */
const rawPorts: ReadonlySet<number> = new Set([21, 22, 25, 110, 143, 587, 3306, 4444, 5432, 5900, 6379, 9300, 11211, 27017]);

/** By `appProtocol` (Kubernetes' own names, and those that Istio and Linkerd made usual) or by the prefix of a port's name. */
const protocols: ReadonlyMap<string, PortProtocol> = new Map([
  ...["http", "grpc-web", "kubernetes.io/ws"].map((name) => [name, "http"] as const),
  ...["http2", "h2c", "grpc", "kubernetes.io/h2c"].map((name) => [name, "http2"] as const),
  ...["tcp", "tls", "https", "kubernetes.io/wss", "mysql", "mongo", "postgres", "postgresql", "redis", "amqp", "kafka", "smtp", "ssh"].map(
    (name) => [name, "tcp"] as const,
  ),
]);

export interface DeclaredPort {
  readonly name: string;
  readonly appProtocol: string;
  /** Of the Service, and of the pods where it is a number. */
  readonly numbers: readonly number[];
}

/** What is spoken on a Service port: its appProtocol, then the prefix of its name, then detection but for well-known ports. */
export function portProtocol(port: DeclaredPort): PortProtocol {
  const declared = protocols.get(port.appProtocol.toLowerCase()) ?? byName(port.name);
  return declared ?? (port.numbers.some((number) => rawPorts.has(number)) ? "tcp" : "detect");
}

/** `http-web` is HTTP, `httpbin` is not; `grpc-web` is HTTP/1.1, so the whole name counts first. */
function byName(name: string): PortProtocol | undefined {
  const grpcWeb = name.startsWith("grpc-web-") ? "grpc-web" : name;
  return protocols.get(grpcWeb) ?? protocols.get(name.split("-")[0] ?? "");
}

/** One pod port behind several Services: what was declared counts before what was not; a contradiction is looked at. */
export function joinProtocols(a: PortProtocol, b: PortProtocol): PortProtocol {
  if (a === b || b === "detect") return a;
  if (a === "detect") return b;
  return a === "tcp" || b === "tcp" ? "detect" : "http";
}
