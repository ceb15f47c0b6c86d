/** Delta xDS messages to and from bytes. Responses are assembled from the cached bytes of their resources. */
import { fromBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { DeltaDiscoveryRequestSchema, type DeltaDiscoveryRequest } from "../gen/envoy/service/discovery/v3/discovery_pb.js";
import type { ResourceType } from "../std/resource-set.ts";
import { typeUrlOf } from "./encode.ts";
import type { DeltaResponse } from "./stream.ts";
import type { DeltaRequest } from "./subscription.ts";

/** Of a refusal, which is logged and kept: Envoy's name the resource and the field, not more. */
const maxSentence = 2_000;

/** Throws on bytes that are no DeltaDiscoveryRequest. */
export function decodeRequest(bytes: Uint8Array): DeltaDiscoveryRequest {
  return fromBinary(DeltaDiscoveryRequestSchema, bytes);
}

/** In the words of the state machine; `type` was found by the request's type URL. */
export function readRequest(message: DeltaDiscoveryRequest, type: ResourceType): DeltaRequest {
  return {
    type,
    subscribe: message.resourceNamesSubscribe,
    unsubscribe: message.resourceNamesUnsubscribe,
    initialVersions: new Map(Object.entries(message.initialResourceVersions)),
    nonce: message.responseNonce,
    // The presence of error_detail is the refusal, an empty message too.
    error: message.errorDetail === undefined ? undefined : message.errorDetail.message.slice(0, maxSentence) || "no reason given",
  };
}

/** DeltaDiscoveryResponse: resources (2, ready-made), type_url (4), nonce (5), removed_resources (6). */
export function encodeResponse(response: DeltaResponse): Buffer {
  const rest = new BinaryWriter();
  rest.tag(4, WireType.LengthDelimited).string(typeUrlOf(response.type));
  rest.tag(5, WireType.LengthDelimited).string(response.nonce);
  for (const name of response.removed) rest.tag(6, WireType.LengthDelimited).string(name);
  return Buffer.concat([...response.resources.map(({ entry }) => entry), rest.finish()]);
}
