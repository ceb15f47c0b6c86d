import type { AddressJson, CidrRangeJson } from "../gen/envoy/config/core/v3/address_pb.d.ts";

/** Told from a host name: Kubernetes and the IR hold addresses in their usual spelling only. */
export function isIpAddress(host: string): boolean {
  return host.includes(":") || /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(host);
}

export function tcpAddress(address: string, port: number): AddressJson {
  return { socketAddress: { address, portValue: port } };
}

/** The range of this one address. */
export function singleAddress(address: string): CidrRangeJson {
  return { addressPrefix: address, prefixLen: address.includes(":") ? 128 : 32 };
}
