/** Turns Envoy resources (proto3-JSON objects) into the bytes that go on the wire, once per object. */
import { createHash } from "node:crypto";
import { fromJson, isMessage, toBinary, toJson, type DescMessage, type JsonValue, type Message } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ClusterSchema } from "../gen/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "../gen/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.js";
import { resourceTypes, type ResourceType } from "../std/resource-set.ts";
import type { EncodedEntries, EncodedResource, EncodingFailure } from "./cache.ts";
import { extensionRegistry } from "./extension-registry.ts";

const schemas: Readonly<Record<ResourceType, DescMessage>> = {
  cluster: ClusterSchema,
  endpoint: ClusterLoadAssignmentSchema,
  listener: ListenerSchema,
  route: RouteConfigurationSchema,
};

const types = new Map(resourceTypes.map((type) => [typeUrlOf(type), type]));

/** By object: a resource that all proxies share is encoded once, and forgotten with its object. */
const encoded = new WeakMap<object, EncodedResource>();

/** `type.googleapis.com/envoy.config.cluster.v3.Cluster`: how xDS names a type. */
export function typeUrlOf(type: ResourceType): string {
  return `type.googleapis.com/${schemas[type].typeName}`;
}

/** The inverse of {@link typeUrlOf}; undefined for a type that weft does not serve. */
export function typeOfUrl(url: string): ResourceType | undefined {
  return types.get(url);
}

/**
 * The wire form of a resource, found by object identity or made. Throws an Error that names the resource and the field
 * when the object is not what Envoy's protos say (unknown field, wrong type, unknown extension).
 */
export function encodeResource(type: ResourceType, name: string, resource: object): EncodedResource {
  const known = encoded.get(resource);
  if (known !== undefined) return known;
  const message = parse(type, name, resource);
  const body = toBinary(schemas[type], message);
  const version = createHash("sha256").update(body).digest("base64url").slice(0, 22);
  const made = { version, entry: resourceEntry({ name, version, typeUrl: typeUrlOf(type), body }), endpoints: endpointsOf(message) };
  encoded.set(resource, made);
  return made;
}

/** By map: most proxies share theirs. */
const encodedMaps = new WeakMap<ReadonlyMap<string, object>, EncodedEntries>();

/** All resources of a type, by name; what cannot be encoded is told, and the rest goes on. */
export function encodeResources(type: ResourceType, resources: ReadonlyMap<string, object>): EncodedEntries {
  const known = encodedMaps.get(resources);
  if (known !== undefined) return known;
  const entries = new Map<string, EncodedResource>();
  const failures: EncodingFailure[] = [];
  for (const [name, resource] of resources) {
    try {
      entries.set(name, encodeResource(type, name, resource));
    } catch (error) {
      failures.push({ type, name, sentence: error instanceof Error ? error.message : String(error) });
    }
  }
  const made = { entries, failures };
  encodedMaps.set(resources, made);
  return made;
}

/** As Envoy finds them: by `service_name`, else by the cluster's own name. */
function endpointsOf(message: Message): string {
  if (!isMessage(message, ClusterSchema) || message.edsClusterConfig === undefined) return "";
  return message.edsClusterConfig.serviceName || message.name;
}

/** A resource as `envoy --config-yaml` and `config_dump` spell it: proto field names, defaults left out. */
export function formatResource(type: ResourceType, resource: object): unknown {
  const message = parse(type, "resource", resource);
  return toJson(schemas[type], message, { registry: extensionRegistry, useProtoFieldName: true });
}

function parse(type: ResourceType, name: string, resource: object) {
  try {
    return fromJson(schemas[type], resource as JsonValue, { registry: extensionRegistry });
  } catch (error) {
    throw new Error(`${type} ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

interface Parts {
  readonly name: string;
  readonly version: string;
  readonly typeUrl: string;
  readonly body: Uint8Array;
}

/**
 * One `DeltaDiscoveryResponse.resources` element (field 2) with its tag, ready to be copied into any response: a
 * `Resource` of name (3), version (1) and the `Any` (2) of type URL and body. Field numbers: discovery.proto.
 */
function resourceEntry({ name, version, typeUrl, body }: Parts): Uint8Array {
  const any = new BinaryWriter().tag(1, WireType.LengthDelimited).string(typeUrl).tag(2, WireType.LengthDelimited).bytes(body).finish();
  const resource = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string(version)
    .tag(2, WireType.LengthDelimited)
    .bytes(any)
    .tag(3, WireType.LengthDelimited)
    .string(name)
    .finish();
  return new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(resource).finish();
}
