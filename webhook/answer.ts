import type { AdmissionRequest, AdmissionResponse } from "../src/api/admission.ts";
import type { MeshObjects } from "../src/api/objects.ts";
import { namespaceFacts } from "./inject/facts.ts";
import type { Injection, Injector } from "./inject/injector.ts";
import { field, recordAt, textAt } from "./inject/opaque.ts";
import { reasons, type Outcome, type ReasonCode } from "./inject/reasons.ts";

/** The answer to one request, and what is logged and counted about it. */
export interface Answer {
  readonly response: AdmissionResponse;
  readonly code: ReasonCode;
  readonly decision: Outcome;
  readonly rules: readonly string[];
}

/** Where the pod will be: inside the object it may be missing on creation. */
export function namespaceOf(request: AdmissionRequest): string {
  return request.namespace || textAt(recordAt(request.object, "metadata"), "namespace") || "default";
}

/** Answers from what is known: no call, no clock. A `fault` says why the request cannot be answered. */
export function answerRequest(request: AdmissionRequest, objects: MeshObjects, injector: Injector): Answer | { readonly fault: string } {
  if (!isPodCreation(request)) return passOn(request.uid, "not-a-pod-creation");
  const namespace = namespaceOf(request);
  const injection = injector.inject({ pod: request.object, namespace, facts: namespaceFacts(objects, namespace) });
  if (injection === undefined) return { fault: "request.object is no Pod: it has no spec" };
  const { code, decision, rules, sentence } = injection.decision;
  if (decision === "rejected") return { response: deny(request.uid, code, sentence), code, decision, rules };
  return { response: allow(request.uid, injection), code, decision, rules };
}

/** The API server's rules leave other requests out; should one come, it goes through as it is. */
function isPodCreation(request: AdmissionRequest): boolean {
  const kind = request.kind?.kind ?? field(request.object, "kind");
  return kind === "Pod" && (request.operation ?? "CREATE") === "CREATE" && (request.subResource ?? "") === "";
}

function passOn(uid: string, code: ReasonCode): Answer {
  const { decision } = reasons[code];
  return { response: { uid, allowed: true, auditAnnotations: { decision, code, rules: "" } }, code, decision, rules: [] };
}

function allow(uid: string, { decision, patch, warnings }: Injection): AdmissionResponse {
  const told = reasons[decision.code].warn ? [`weft: not injected: ${decision.sentence} (${decision.code})`] : [];
  const all = [...told, ...warnings.map((warning) => `weft: ${warning}`)].map(shorten);
  return {
    uid,
    allowed: true,
    ...(patch === "[]" ? {} : { patchType: "JSONPatch" as const, patch: Buffer.from(patch).toString("base64") }),
    ...(all.length === 0 ? {} : { warnings: all }),
    auditAnnotations: audit(decision.decision, decision.code, decision.rules),
  };
}

/** 422: the API server shows the message to the person who created the pod, and never asks again. */
function deny(uid: string, code: ReasonCode, sentence: string): AdmissionResponse {
  return {
    uid,
    allowed: false,
    status: { status: "Failure", code: 422, reason: "Invalid", message: `${sentence} (${code})` },
    auditAnnotations: audit("rejected", code, []),
  };
}

function audit(decision: Outcome, code: ReasonCode, rules: readonly string[]): Record<string, string> {
  return { decision, code, rules: rules.join(",") };
}

/** Kubernetes asks for warnings of at most 120 characters. */
function shorten(warning: string): string {
  return warning.length <= 120 ? warning : `${warning.slice(0, 119)}…`;
}
