/** A client that asks and never reads: real HTTP/2 with a flow-control window of nothing. */
import { connect } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { DeltaDiscoveryRequestSchema } from "../../src/gen/envoy/service/discovery/v3/discovery_pb.js";
import { typeUrlOf } from "../../src/xds/encode.ts";
import type { TlsIdentity } from "../../src/std/rotating.ts";

export interface DeafOptions {
  readonly port: string;
  readonly credentials: TlsIdentity;
  readonly node: { readonly id: string };
}

/** Asks for all clusters; `asked` resolves when the server has taken the request. */
export function openDeaf({ port, credentials, node }: DeafOptions): { readonly asked: Promise<unknown>; close(): void } {
  const { key, certificateChain: cert } = credentials;
  const session = connect(`https://127.0.0.1:${port}`, { key, cert, rejectUnauthorized: false, settings: { initialWindowSize: 0 } });
  session.on("error", () => undefined);
  const stream = session.request({
    ":method": "POST",
    ":path": "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => undefined);
  const asked = new Promise((resolve) => stream.once("response", resolve));
  stream.write(frame(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, { node, typeUrl: typeUrlOf("cluster") }))));
  return { asked, close: () => session.destroy() };
}

/** gRPC over HTTP/2: a byte for compression, four for the length. */
function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
