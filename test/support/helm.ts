import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { findTool } from "../../src/runtime/tools.ts";

const execute = promisify(execFile);

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

/** Runs helm. @throws with what it says on stderr; a warning is a failure too. */
export async function helm(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await execute(await findTool("helm"), [...args], { maxBuffer: 1 << 24 });
  if (stderr !== "") throw new Error(stderr);
  return stdout;
}

/** The objects that the chart becomes in namespace weft-system, as API version 1.36 would see them; `flags` are helm's. */
export async function renderChart(chart: string, ...flags: readonly string[]): Promise<KubernetesObject[]> {
  const text = await helm("template", "weft", chart, "--namespace", "weft-system", "--kube-version", "1.36.0", ...flags);
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

/** `Deployment weft-webhook`. */
export function objectName(object: KubernetesObject): string {
  return `${object.kind} ${object.metadata.name}`;
}
