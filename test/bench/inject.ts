/**
 * `make bench-inject`: what an admission costs, beside floors of the same run.
 *
 * - handler: bytes of the review to bytes of the answer; floor = JSON.parse of the review and JSON.stringify of the answer
 * - HTTPS: the webhook against a bare node:https server that parses the body and sends a canned answer, both on one core
 * - scale: the same admission with 10,000 resources in 1,000 namespaces beside 10 in one
 */
import { parseAdmissionReview, reviewAnswer } from "../../src/api/admission.ts";
import { meshConfigDefaults } from "../../src/api/mesh-config-defaults.ts";
import type { MeshObjects } from "../../src/api/objects.ts";
import { answerRequest } from "../../webhook/answer.ts";
import { createInjector } from "../../webhook/inject/injector.ts";
import { measureHttps } from "./inject-https.ts";
import { microseconds, report, resultOf, type Result } from "./ratio.ts";
import { meshState } from "./mesh-state.ts";
import { podOf, reviewOf } from "./reviews.ts";

const rounds = 12;
const injector = createInjector(meshConfigDefaults, "1.36");

/** What the webhook does with the bytes of a review, but for HTTP. */
function admit(body: Buffer, objects: MeshObjects): string {
  const parsed = parseAdmissionReview(JSON.parse(body.toString("utf8")));
  if ("fault" in parsed) throw new Error(parsed.fault);
  const answer = answerRequest(parsed.request, objects, injector);
  if ("fault" in answer || answer.response.patch === undefined) throw new Error("the pod was not injected");
  return JSON.stringify(reviewAnswer(answer.response));
}

function handler(name: string, body: Buffer): Result {
  const objects = meshState(10, 10);
  const answer: unknown = JSON.parse(admit(body, objects));
  const times = Math.max(20, Math.round(20_000_000 / body.length / 20));
  function floor(): void {
    JSON.parse(body.toString("utf8"));
    JSON.stringify(answer);
  }
  const pairs = Array.from({ length: rounds + 2 }, () => [microseconds(() => admit(body, objects), times), microseconds(floor, times)] as const);
  return resultOf(`handler, ${name} (${(body.length / 1000).toFixed(1)} KB)`, "µs", pairs.slice(2));
}

function scale(): Result {
  const body = Buffer.from(reviewOf(podOf(1, 20)));
  const [many, few] = [meshState(10_000, 1_000), meshState(10, 10)];
  const pairs = Array.from({ length: rounds + 2 }, () => [microseconds(() => admit(body, many), 2_000), microseconds(() => admit(body, few), 2_000)] as const);
  return resultOf("10,000 resources in 1,000 namespaces, floor: 10", "µs", pairs.slice(2));
}

function patchBytes(body: Buffer): number {
  const { response } = JSON.parse(admit(body, meshState(10, 10))) as { response: { patch: string } };
  return Buffer.from(response.patch, "base64").length;
}

const bodies = { small: Buffer.from(reviewOf(podOf(1, 50))), big: Buffer.from(reviewOf(podOf(3, 80))), huge: Buffer.from(reviewOf(podOf(1, 2_000))) };
const results = [handler("1 container", bodies.small), handler("3 containers, 240 env", bodies.big), handler("2,000 env", bodies.huge), scale()];
results.push(...(await measureHttps([bodies.small, bodies.big])));
await report(results);
console.log(`patch: ${patchBytes(bodies.small)} bytes for ${bodies.small.length}, ${patchBytes(bodies.huge)} bytes for ${bodies.huge.length}`);
console.log(`memory of this process with 10,000 resources: ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB resident`);
