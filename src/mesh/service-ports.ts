import type { Pod, Service, ServicePort } from "../api/kubernetes.ts";
import { joinProtocols, portProtocol } from "./port-protocol.ts";
import type { PortProtocol } from "./snapshot.ts";

/** TCP only: UDP and SCTP are neither intercepted nor encrypted. */
export function tcpPorts(service: Service): readonly ServicePort[] {
  return service.ports.filter((port) => port.protocol === "TCP").toSorted((a, b) => a.port - b.port);
}

export function protocolOf(port: ServicePort): PortProtocol {
  const target = typeof port.targetPort === "number" ? [port.targetPort] : [];
  return portProtocol({ name: port.name, appProtocol: port.appProtocol, numbers: [port.port, ...target] });
}

/** The pod's port behind a Service port; a name is looked up in that pod. undefined = the pod has no such port. */
export function podPort(port: ServicePort, pod: Pod): number | undefined {
  if (typeof port.targetPort === "number") return port.targetPort;
  return pod.ports.find((declared) => declared.protocol === "TCP" && declared.name === port.targetPort)?.port;
}

/** Adds what `protocol` says of a pod port to what other Services said of it. */
export function addPort(ports: Map<number, PortProtocol>, number: number, protocol: PortProtocol): void {
  const known = ports.get(number);
  ports.set(number, known === undefined ? protocol : joinProtocols(known, protocol));
}
