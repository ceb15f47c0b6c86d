import type { AddressJson, CidrRangeJson } from "../gen/envoy/config/core/v3/address_pb.d.ts";

export function tcpAddress(address: string, port: number): AddressJson {
  return { socketAddress: { address, portValue: port } };
}

/** The range of this one address. */
export function singleAddress(address: string): CidrRangeJson {
  return { addressPrefix: address, prefixLen: address.includes(":") ? 128 : 32 };
}
