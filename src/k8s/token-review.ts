import { Type, type Static } from "typebox";
import { checkSchema } from "../api/check-schema.ts";
import type { KubeClient } from "./client.ts";

/** What Kubernetes attests of the bearer of a token. */
export interface ReviewedToken {
  readonly authenticated: true;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podName: string;
  readonly podUid: string;
}

export interface RefusedToken {
  readonly authenticated: false;
  /** For our log; the bearer is told nothing. */
  readonly reason: string;
}

/**
 * Asks the API server whose service-account token this is (authentication.k8s.io/v1 TokenReview). Only tokens that are
 * bound to a pod and made for `audience` count: a server that does not know audiences leaves `status.audiences` out, and
 * the token might then be made for somebody else.
 * @throws ApiError, Error as of {@link KubeClient.request}: then nothing is known about the token.
 */
export async function reviewToken(client: KubeClient, token: string, audience: string): Promise<ReviewedToken | RefusedToken> {
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token, audiences: [audience] } };
  const answer = await client.request({ method: "POST", path: "/apis/authentication.k8s.io/v1/tokenreviews", body });
  const review = checkSchema(RawReview, answer, "");
  if (!review.ok) throw new Error(`The API server's TokenReview cannot be read: ${review.faults.join("; ")}.`);
  return judge(review.value.status, audience);
}

const RawReview = Type.Object({
  status: Type.Object({
    authenticated: Type.Optional(Type.Boolean()),
    error: Type.Optional(Type.String()),
    audiences: Type.Optional(Type.Array(Type.String())),
    user: Type.Optional(
      Type.Object({ username: Type.Optional(Type.String()), extra: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))) }),
    ),
  }),
});

type Review = Static<typeof RawReview>["status"];

function judge(status: Review, audience: string): ReviewedToken | RefusedToken {
  const { authenticated, error = "not authenticated", audiences = [], user = {} } = status;
  if (authenticated !== true) return refuse(error);
  if (!audiences.includes(audience)) return refuse(`not made for the audience ${audience}`);
  return identify(user);
}

function identify({ username = "", extra = {} }: NonNullable<Review["user"]>): ReviewedToken | RefusedToken {
  const [, namespace, serviceAccount] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username) ?? [];
  if (namespace === undefined || serviceAccount === undefined) return refuse(`${username} is no service account`);
  const [podName] = extra["authentication.kubernetes.io/pod-name"] ?? [];
  const [podUid] = extra["authentication.kubernetes.io/pod-uid"] ?? [];
  if (podName === undefined || podUid === undefined) return refuse("not bound to a pod");
  return { authenticated: true, namespace, serviceAccount, podName, podUid };
}

function refuse(reason: string): RefusedToken {
  return { authenticated: false, reason };
}
