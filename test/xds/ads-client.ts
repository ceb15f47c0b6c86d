/** A scripted delta ADS client over real gRPC and TLS. */
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { Client, credentials, type ClientDuplexStream, type ServiceError } from "@grpc/grpc-js";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  type DeltaDiscoveryResponse,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.js";
import type { ResourceType } from "../../src/std/resource-set.ts";
import { typeUrlOf } from "../../src/xds/encode.ts";
import type { TlsIdentity } from "../../src/std/rotating.ts";

export interface ClientOptions {
  readonly address: string;
  /** PEM of the root that the server must chain to. */
  readonly root: string;
  /** undefined = no client certificate. */
  readonly credentials: TlsIdentity | undefined;
  readonly method?: "DeltaAggregatedResources" | "StreamAggregatedResources";
}

export class AdsClient {
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<Uint8Array, DeltaDiscoveryResponse>;
  readonly #inbox: DeltaDiscoveryResponse[] = [];
  readonly #waiting: ((response: DeltaDiscoveryResponse) => void)[] = [];
  /** How the stream ended. */
  readonly ended: Promise<{ readonly code: number; readonly details: string }>;

  constructor(options: ClientOptions) {
    const { key, certificateChain } = options.credentials ?? {};
    const tls = credentials.createSsl(
      Buffer.from(options.root),
      key === undefined ? null : Buffer.from(key),
      certificateChain === undefined ? null : Buffer.from(certificateChain),
    );
    this.#client = new Client(options.address, tls, { "grpc.ssl_target_name_override": "localhost", "grpc.use_local_subchannel_pool": 1 });
    const path = `/envoy.service.discovery.v3.AggregatedDiscoveryService/${options.method ?? "DeltaAggregatedResources"}`;
    this.#stream = this.#client.makeBidiStreamRequest(path, (bytes: Uint8Array) => Buffer.from(bytes), (bytes) => fromBinary(DeltaDiscoveryResponseSchema, bytes));
    this.#stream.on("data", (response: DeltaDiscoveryResponse) => {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#inbox.push(response);
      else waiting(response);
    });
    this.ended = new Promise((resolve) => {
      this.#stream.on("error", ({ code, details }: ServiceError) => resolve({ code, details }));
      this.#stream.on("end", () => resolve({ code: 0, details: "" }));
    });
  }

  send(type: ResourceType, request: MessageInitShape<typeof DeltaDiscoveryRequestSchema> = {}): void {
    this.raw(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, { typeUrl: typeUrlOf(type), ...request })));
  }

  raw(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  /** The next response; the test's own timeout is the limit. */
  next(): Promise<DeltaDiscoveryResponse> {
    const response = this.#inbox.shift();
    return response === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(response);
  }

  acknowledge(type: ResourceType, response: DeltaDiscoveryResponse): void {
    this.send(type, { responseNonce: response.nonce });
  }

  /** What arrived and was not asked for with `next`. */
  unread(): number {
    return this.#inbox.length;
  }

  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}
