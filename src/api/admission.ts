import { Type, type Static } from "typebox";
import { checkSchema } from "./check-schema.ts";

/** What weft reads of an AdmissionReview (admission.k8s.io/v1, k8s.io/api admission/v1); `object` stays opaque. */
export const AdmissionRequest = Type.Object({
  /** Given back in the answer: without it the API server refuses every answer. */
  uid: Type.String({ minLength: 1 }),
  kind: Type.Optional(Type.Object({ kind: Type.String() })),
  subResource: Type.Optional(Type.String()),
  operation: Type.Optional(Type.String()),
  namespace: Type.Optional(Type.String()),
  dryRun: Type.Optional(Type.Boolean()),
  object: Type.Optional(Type.Unknown()),
});
export type AdmissionRequest = Static<typeof AdmissionRequest>;

const Review = Type.Object({ request: AdmissionRequest });

export interface AdmissionStatus {
  readonly status: "Failure";
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

/** `patch` (base64 of a JSON Patch) and `patchType` come together or not at all. */
export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly patchType?: "JSONPatch";
  readonly patch?: string;
  /** At most 120 characters each. */
  readonly warnings?: readonly string[];
  /** Keys without `/`: the API server puts the webhook's name in front. */
  readonly auditAnnotations?: Readonly<Record<string, string>>;
  /** Only when denied. */
  readonly status?: AdmissionStatus;
}

export interface AdmissionReviewAnswer {
  readonly apiVersion: typeof reviewVersion;
  readonly kind: "AdmissionReview";
  readonly response: AdmissionResponse;
}

const reviewVersion = "admission.k8s.io/v1";

/** Reads the body of a call; `fault` says what is wrong with it, for the one who sent it. */
export function parseAdmissionReview(body: unknown): { readonly request: AdmissionRequest } | { readonly fault: string } {
  const { apiVersion, kind } = typeof body === "object" && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  if (kind !== "AdmissionReview") return { fault: "the body is no AdmissionReview" };
  if (apiVersion !== reviewVersion) return { fault: `the review has the version '${typeof apiVersion === "string" ? apiVersion.slice(0, 100) : ""}'; ${reviewVersion} is the one that is answered` };
  const checked = checkSchema(Review, body, "");
  return checked.ok ? { request: checked.value.request } : { fault: `the review is not valid: ${checked.faults.join("; ")}` };
}

export function reviewAnswer(response: AdmissionResponse): AdmissionReviewAnswer {
  return { apiVersion: reviewVersion, kind: "AdmissionReview", response };
}
