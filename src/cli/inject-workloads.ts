import { asRecord, field, recordAt, textAt, type Opaque } from "../../webhook/inject/opaque.ts";

/** One pod or pod template inside a document. */
export interface Workload {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The pod as the webhook would see it; in a template, the object with `metadata` and `spec`. */
  readonly pod: Opaque;
}

/** Where each kind that we know keeps its pod template, and the API groups it comes from. */
const templatePaths: Readonly<Record<string, { readonly groups: readonly string[]; readonly path: readonly string[] }>> = {
  Pod: { groups: [""], path: [] },
  ReplicationController: { groups: [""], path: ["spec", "template"] },
  Deployment: { groups: ["apps", "extensions"], path: ["spec", "template"] },
  StatefulSet: { groups: ["apps"], path: ["spec", "template"] },
  DaemonSet: { groups: ["apps", "extensions"], path: ["spec", "template"] },
  ReplicaSet: { groups: ["apps", "extensions"], path: ["spec", "template"] },
  Job: { groups: ["batch"], path: ["spec", "template"] },
  CronJob: { groups: ["batch"], path: ["spec", "jobTemplate", "spec", "template"] },
  DeploymentConfig: { groups: ["apps.openshift.io", ""], path: ["spec", "template"] },
  Rollout: { groups: ["argoproj.io"], path: ["spec", "template"] },
};

/**
 * A document with each pod template replaced by what `change` returns; the items of a `List` one by one. A document
 * without a pod template (also a Rollout that refers to a Deployment) is returned as it is, the very same object.
 */
export function mapWorkloads(document: unknown, defaultNamespace: string, change: (workload: Workload) => unknown): unknown {
  const record = asRecord(document);
  if (record === undefined) return document;
  const items = field(record, "items");
  if (textAt(record, "kind").endsWith("List") && Array.isArray(items)) {
    return { ...record, items: items.map((item) => mapWorkloads(item, defaultNamespace, change)) };
  }
  const path = templatePath(record);
  const pod = path === undefined ? undefined : asRecord(path.reduce<unknown>(field, record));
  if (path === undefined || pod === undefined) return document;
  const metadata = recordAt(record, "metadata");
  const name = textAt(metadata, "name") || textAt(metadata, "generateName");
  const namespace = textAt(metadata, "namespace") || defaultNamespace;
  const changed = change({ kind: textAt(record, "kind"), namespace, name, pod });
  return changed === pod ? document : replaceAt(record, path, changed);
}

function templatePath(document: Opaque): readonly string[] | undefined {
  const kind = textAt(document, "kind");
  const known = Object.hasOwn(templatePaths, kind) ? templatePaths[kind] : undefined;
  const version = textAt(document, "apiVersion");
  const group = version.includes("/") ? version.slice(0, version.indexOf("/")) : "";
  return known?.groups.includes(group) === true ? known.path : undefined;
}

function replaceAt(value: unknown, path: readonly string[], replacement: unknown): unknown {
  const [key, ...rest] = path;
  return key === undefined ? replacement : { ...asRecord(value), [key]: replaceAt(field(value, key), rest, replacement) };
}
