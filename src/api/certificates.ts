import { Type, type Static } from "typebox";

/** `POST /v1/certificates`: what the agent asks; the CSR gives its public key and proof of possession, nothing else. */
export const CertificateRequest = Type.Object(
  { csr: Type.String({ minLength: 1, maxLength: 16_384 }), ttlSeconds: Type.Optional(Type.Integer({ minimum: 1 })) },
  { additionalProperties: false },
);
export type CertificateRequest = Static<typeof CertificateRequest>;

/** Its answer; times are RFC 3339. */
export const IssuedCertificate = Type.Object({
  /** PEM: leaf, then issuer. */
  certificateChain: Type.String(),
  /** PEM: the roots to trust. */
  trustBundle: Type.String(),
  expiresAt: Type.String(),
  renewAt: Type.String(),
});
export type IssuedCertificate = Static<typeof IssuedCertificate>;

/** `GET /v1/workload`: what may change while the pod runs, written by the agent to `settings.json` for the adapter. */
export const WorkloadSettings = Type.Object({
  /** Labels of every series: `metricLabels` of the Monitors that select the pod, else the pod's own labels. */
  metricLabels: Type.Record(Type.String(), Type.String()),
  /** DNS names that a fresh certificate would carry; a change is a reason to renew. */
  subjectNames: Type.Array(Type.String()),
});
export type WorkloadSettings = Static<typeof WorkloadSettings>;

/** RFC 9457 problem details, with our code. */
export interface ProblemDetails {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}
