import { Type } from "typebox";
import { findUnknownFields, isRecord } from "./check-schema.ts";
import { kindParser, type Fault, type KindParser } from "./parse-kind.ts";
import { RawMetadata, trimMetadata } from "./parse-metadata.ts";
import { RawPod, trimPod } from "./parse-pod.ts";
import { RawEndpointSlice, RawService, trimEndpointSlice, trimService } from "./parse-service.ts";
import { RawMonitor, RawTlsConfig, trimMonitor, trimTlsConfig } from "./smi/parse-selected.ts";
import { RawCanary, RawTrafficSplit, trimCanary, trimTrafficSplit, upgradeTrafficSplit } from "./smi/parse-split.ts";
import type { MeshKind, MeshObject } from "./objects.ts";
import type { ObjectRef, Problem } from "../std/problem.ts";
import { smiGroup, splitGroup } from "../std/well-known.ts";

/** `problems` of a kept object are warnings: it is used in spite of them. */
export type ParseResult =
  | { readonly kind: "object"; readonly object: MeshObject; readonly problems: readonly Problem[] }
  | { readonly kind: "problem"; readonly problem: Problem }
  | { readonly kind: "ignored" };

/**
 * Reads one object of Kubernetes JSON, of any kind and version, into the trimmed types of src/api. Never throws. Kinds that
 * weft does not read, and kinds of the same name in other groups, are ignored. `List`s are unrolled by the caller.
 */
export function parseObject(raw: unknown): ParseResult {
  if (!isRecord(raw)) return { kind: "ignored" };
  const { kind, apiVersion } = raw;
  if (typeof kind !== "string" || typeof apiVersion !== "string" || !Object.hasOwn(kindParsers, kind)) return { kind: "ignored" };
  const parser = kindParsers[kind as MeshKind];
  const recognised = recognise(apiVersion, parser);
  if (recognised === "other-group") return { kind: "ignored" };
  const result = recognised === "known" ? parser.parse(raw) : unknownVersion(apiVersion, parser);
  if ("code" in result) return { kind: "problem", problem: toProblem(raw, result, "error") };
  const faults = parser.strictness === "strict" ? [...result.faults, ...findUnknown(raw, parser)] : result.faults;
  return { kind: "object", object: result.object, problems: faults.map((fault) => toProblem(raw, fault, "warning")) };
}

/** Kind, namespace and name of raw JSON, as far as they can be read; for messages. */
export function refOf(raw: unknown): ObjectRef {
  const { kind, metadata } = isRecord(raw) ? raw : {};
  const { namespace, name } = isRecord(metadata) ? metadata : {};
  const cluster = kind === "Namespace";
  return { kind: text(kind), namespace: cluster ? "" : text(namespace) || "default", name: text(name) };
}

const RawBare = Type.Object({ metadata: RawMetadata });

const kindParsers: { readonly [K in MeshKind]: KindParser } = {
  Namespace: kindParser({
    group: "",
    versions: ["v1"],
    strictness: "open",
    schema: RawBare,
    trim: ({ metadata }) => ({ kind: "Namespace", metadata: trimMetadata(metadata, "cluster") }),
  }),
  ServiceAccount: kindParser({
    group: "",
    versions: ["v1"],
    strictness: "open",
    schema: RawBare,
    trim: ({ metadata }) => ({ kind: "ServiceAccount", metadata: trimMetadata(metadata, "namespaced") }),
  }),
  Pod: kindParser({ group: "", versions: ["v1"], strictness: "open", schema: RawPod, trim: trimPod }),
  Service: kindParser({ group: "", versions: ["v1"], strictness: "open", schema: RawService, trim: trimService }),
  EndpointSlice: kindParser({ group: "discovery.k8s.io", versions: ["v1"], strictness: "open", schema: RawEndpointSlice, trim: trimEndpointSlice }),
  TLSConfig: kindParser({ group: smiGroup, versions: ["v1beta1"], strictness: "strict", schema: RawTlsConfig, trim: trimTlsConfig }),
  Monitor: kindParser({ group: smiGroup, versions: ["v1beta1"], strictness: "strict", schema: RawMonitor, trim: trimMonitor }),
  Canary: kindParser({ group: smiGroup, versions: ["v1beta1"], strictness: "strict", schema: RawCanary, trim: trimCanary }),
  TrafficSplit: upgrading(
    kindParser({
      group: splitGroup,
      versions: ["v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"],
      strictness: "strict",
      schema: RawTrafficSplit,
      trim: trimTrafficSplit,
    }),
  ),
};

/** Older versions of TrafficSplit are read as far as their shape is that of v1alpha4. */
function upgrading(parser: KindParser): KindParser {
  return { ...parser, parse: (raw) => parser.parse(isRecord(raw) && raw["apiVersion"] === `${splitGroup}/v1alpha1` ? upgradeTrafficSplit(raw) : raw) };
}

/** The first draft's documents have a version without group: they are told, not passed over. */
function recognise(apiVersion: string, { group, versions }: KindParser): "known" | "other-version" | "other-group" {
  const [version = "", ofGroup = ""] = apiVersion.split("/").toReversed();
  if (ofGroup === group) return versions.includes(version) ? "known" : "other-version";
  return ofGroup === "" && group === smiGroup ? "other-version" : "other-group";
}

function unknownVersion(apiVersion: string, parser: KindParser): Fault {
  const known = parser.versions.map((version) => (parser.group === "" ? version : `${parser.group}/${version}`));
  const hint = apiVersion.includes("/") ? "" : " `weft convert` turns the first draft's documents into it.";
  return { code: "version-unknown", sentence: `The version ${apiVersion} is not known; write ${known.join(" or ")}.${hint}` };
}

/** Metadata has fields that we do not read, and status is written by machines: only spec is held to its schema. */
function findUnknown(raw: Readonly<Record<string, unknown>>, { schema }: KindParser): readonly Fault[] {
  return findUnknownFields(schema, { spec: raw["spec"] }, "").map((path) => ({
    code: "field-unknown",
    sentence: `The field ${path.replace(/^\./, "")} is not known and is passed over. Correct its name or remove it.`,
  }));
}

function toProblem(raw: unknown, { code, sentence }: Fault, severity: Problem["severity"]): Problem {
  return { severity, code, object: refOf(raw), sentence };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
