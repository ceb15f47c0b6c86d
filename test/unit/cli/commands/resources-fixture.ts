import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory of resources, and what removes it. */
export function writeResources(files: Readonly<Record<string, string>>): { readonly directory: string; readonly remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), "weft-resources-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

export const mesh = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { weft.mesh/inject: always } }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { containers: [{ name: app, image: app }] }
status: { podIP: 10.0.0.1, podIPs: [{ ip: 10.0.0.1 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: out, namespace: shop, labels: { weft.mesh/inject: disabled } }
spec: { containers: [{ name: app, image: app }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { clusterIP: 10.96.0.1, selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
`;

export const canaryWithoutBackend = `
apiVersion: smi-spec.io/v1beta1
kind: Canary
metadata: { name: rollout, namespace: shop }
spec: { service: web, backends: [{ service: web-v2, weight: 1 }] }
`;

export const canaryOfItself = `
apiVersion: smi-spec.io/v1beta1
kind: Canary
metadata: { name: loop, namespace: shop }
spec: { service: web, backends: [{ service: web, weight: 1 }] }
`;
