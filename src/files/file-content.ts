import { createHash } from "node:crypto";
import type { MeshObject } from "../api/objects.ts";
import { parseObject, refOf } from "../api/parse.ts";
import type { Problem } from "../std/problem.ts";
import { readDocuments, unrollList } from "./yaml.ts";

/** What one file says: its objects in order, and a Problem for each bad one. */
export interface FileContent {
  readonly objects: readonly MeshObject[];
  readonly problems: readonly Problem[];
}

/** Reads one file. `unreadable` = it is not YAML as a whole (half-written, say), so what it said before should stay. */
export function readContent(text: string, file: string): FileContent | { readonly unreadable: Problem } {
  const { documents, problems } = readDocuments(text, file);
  const [first] = problems;
  if (first !== undefined) return { unreadable: fileProblem(file, `${first}. Its last good content stays in force; correct the file.`) };
  const objects: MeshObject[] = [];
  const found: Problem[] = [];
  for (const document of documents.flatMap(unrollList)) {
    const result = parseObject(document);
    if (result.kind === "problem") found.push(result.problem);
    if (result.kind === "ignored" && !hasKind(document)) found.push(fileProblem(file, `${file}: a document has no kind or no apiVersion. Add both, or move it elsewhere.`));
    if (result.kind !== "object") continue;
    objects.push(complete(result.object, document));
    found.push(...result.problems);
  }
  return { objects, problems: found };
}

/** A Problem of a file, which is no Kubernetes object. */
export function fileProblem(file: string, sentence: string): Problem {
  return { severity: "error", code: "object-unreadable", object: { kind: "File", namespace: "", name: file }, sentence };
}

/** A UID for what has none: the same for the same kind, namespace and name on every machine. */
export function syntheticUid(kind: string, namespace: string, name: string): string {
  const hex = createHash("sha256").update(`${kind}/${namespace}/${name}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}

/** What an API server or a kubelet would have added: UID, the namespace's own label, readiness; and the raw Pod. */
function complete(object: MeshObject, raw: unknown): MeshObject {
  const { namespace, name } = object.metadata;
  const metadata = { ...object.metadata, uid: object.metadata.uid || syntheticUid(object.kind, namespace, name) };
  switch (object.kind) {
    case "Namespace":
      return { ...object, metadata: { ...metadata, labels: { "kubernetes.io/metadata.name": name, ...metadata.labels } } };
    case "Pod":
      return { ...object, metadata, ready: object.ready || (object.ips.length > 0 && !hasConditions(raw)), raw };
    default:
      return { ...object, metadata };
  }
}

function hasConditions(raw: unknown): boolean {
  return Array.isArray((raw as { readonly status?: { readonly conditions?: unknown } | null }).status?.conditions);
}

function hasKind(document: unknown): boolean {
  return refOf(document).kind !== "" && typeof (document as { readonly apiVersion?: unknown }).apiVersion === "string";
}
