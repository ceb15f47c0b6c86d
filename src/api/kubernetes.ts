/** The fields weft reads of Kubernetes' own objects; sources trim to these (memory: 0.4 KB instead of 8 KB a pod). */

export type Labels = Readonly<Record<string, string>>;

export interface Meta {
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Labels;
  /** Only those under `weft.mesh/`, and for Services nothing else. */
  readonly annotations: Labels;
  /** RFC 3339; empty where the source does not know. */
  readonly creationTimestamp: string;
}

export interface Namespace {
  readonly kind: "Namespace";
  readonly metadata: Meta;
}

export interface ServiceAccount {
  readonly kind: "ServiceAccount";
  readonly metadata: Meta;
}

export interface ContainerPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
}

export interface Pod {
  readonly kind: "Pod";
  readonly metadata: Meta;
  /** `default` where the spec leaves it out. */
  readonly serviceAccount: string;
  readonly hostNetwork: boolean;
  /** Names of all containers, init containers too, in order. */
  readonly containers: readonly string[];
  /** Declared ports of containers and native sidecars. */
  readonly ports: readonly ContainerPort[];
  /** `status.podIPs`; empty until the kubelet reports them. */
  readonly ips: readonly string[];
  readonly ready: boolean;
  /** Succeeded or Failed: nothing runs in it any more. */
  readonly ended: boolean;
  /** It has a deletionTimestamp; it may still serve while it drains. */
  readonly terminating: boolean;
  /** The whole object, untrimmed: in files mode only, where §5's decision needs it. */
  readonly raw?: unknown;
}

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  /** A number, or a container port's name. */
  readonly targetPort: number | string;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly appProtocol: string;
}

export interface Service {
  readonly kind: "Service";
  readonly metadata: Meta;
  /** Absent: endpoints are managed by somebody else. */
  readonly selector: Labels | undefined;
  /** Empty for headless and ExternalName Services. */
  readonly clusterIps: readonly string[];
  readonly headless: boolean;
  readonly externalName: string;
  readonly ports: readonly ServicePort[];
  readonly publishNotReadyAddresses: boolean;
}

export interface SliceEndpoint {
  readonly address: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Name of the Pod of the slice's namespace; empty when it is none. */
  readonly pod: string;
  readonly zone: string;
}

/** One address per endpoint; `ports` are container ports by Service port name (`""` for an unnamed one). */
export interface EndpointSlice {
  readonly kind: "EndpointSlice";
  readonly metadata: Meta;
  readonly service: string;
  readonly addressType: "IPv4" | "IPv6" | "FQDN";
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  readonly endpoints: readonly SliceEndpoint[];
}

/** metav1.OwnerReference to a cluster-scoped object: its deletion takes along what refers to it. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}
