/**
 * One of the two servers of `bench-inject`, in a process of its own: `webhook` is ours as it runs in a cluster, `floor` a
 * bare node:https server that parses the body and sends a canned answer. Prints its port; ends with its stdin.
 */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { startServingPki } from "../../certs/serving/start.ts";
import { startWebhook } from "../../webhook/start.ts";
import { meshConfigDefaults } from "../../src/api/mesh-config-defaults.ts";
import type { ObjectSource, SourceState } from "../../src/api/objects.ts";
import { createLogger } from "../../src/runtime/logger.ts";
import { meshState } from "./mesh-state.ts";
import { memoryStore } from "./memory-store.ts";

const [kind] = process.argv.slice(2);
const logger = createLogger("bench", "silent");
const servingPki = await startServingPki(memoryStore(), { dnsNames: ["localhost"], ips: ["127.0.0.1"], logger });
const canned = JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid: "0", allowed: true, patchType: "JSONPatch", patch: "A".repeat(9_000) } });

const port = kind === "webhook" ? await webhook() : await floor();
process.stdout.write(`${port} ${Buffer.from(servingPki.current().caBundle).toString("base64")}\n`);
process.stdin.resume().on("end", () => process.exit(0));

async function webhook(): Promise<number> {
  const state: SourceState = { objects: meshState(10, 10), problems: [] };
  const source: ObjectSource = { current: () => state, synced: Promise.resolve(), trouble: () => undefined, onChange: () => () => undefined, stop: () => Promise.resolve() };
  const started = await startWebhook({ source, config: () => meshConfigDefaults, servingPki, listen: { host: "127.0.0.1", port: 0 }, logger, kubernetesVersion: "1.36" });
  return started.address.port;
}

function floor(): Promise<number> {
  const { key, certificateChain } = servingPki.current();
  const server = createServer({ key, cert: certificateChain }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      JSON.parse(Buffer.concat(chunks).toString("utf8"));
      response.writeHead(200, { "content-type": "application/json", "content-length": canned.length }).end(canned);
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}
