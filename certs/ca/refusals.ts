import type { ProblemDetails } from "../../src/api/certificates.ts";

/** Why the CA does not answer a request with what it asked for: code → status and title. Rows of the README's table. */
export const refusals = {
  unauthenticated: { status: 401, title: "Unauthorized" },
  "pod-unknown": { status: 403, title: "Forbidden" },
  "request-invalid": { status: 400, title: "Bad Request" },
  "csr-refused": { status: 400, title: "Bad Request" },
  "request-too-large": { status: 413, title: "Content Too Large" },
  "too-many-requests": { status: 429, title: "Too Many Requests" },
  "not-found": { status: 404, title: "Not Found" },
  unavailable: { status: 503, title: "Service Unavailable" },
} as const;

export type RefusalCode = keyof typeof refusals;

/** Thrown inside a route and answered as problem details (RFC 9457); `retryAfter` in seconds. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  readonly retryAfter: number | undefined;

  constructor(code: RefusalCode, detail: string, retryAfter?: number) {
    super(detail);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** The same for every reason: who cannot say who he is learns nothing. */
export function unauthenticated(): Refusal {
  return new Refusal("unauthenticated", "A bearer token of a pod, made for this audience, is needed.");
}

export function problemDetails(refusal: Refusal): ProblemDetails {
  const { status, title } = refusals[refusal.code];
  return { type: "about:blank", title, status, code: refusal.code, detail: refusal.message };
}
