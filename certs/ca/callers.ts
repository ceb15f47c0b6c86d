import { tokenAudience } from "../../src/std/well-known.ts";
import type { Workload } from "../../src/mesh/snapshot.ts";
import type { Logger } from "../../src/runtime/logger.ts";
import type { Authenticate, Caller } from "./embedded-tokens.ts";
import { RateLimiter, type RateLimit } from "./rate-limit.ts";
import { Refusal, unauthenticated } from "./refusals.ts";

export interface CallersOptions {
  readonly authenticate: Authenticate;
  /** By `namespace/pod`. */
  readonly workload: (key: string) => Workload | undefined;
  readonly logger: Logger;
  readonly now: () => number;
}

/**
 * Who sends a request: what the token attests, and the pod that exists under that name now. Throws a {@link Refusal}:
 * 401, 403, 429, or 503 when the token cannot be checked.
 */
export type Identify = (authorization: string | undefined) => Promise<Workload>;

/** Each use has its own allowance, so that long polls do not eat up the certificates. */
export function createIdentify(options: CallersOptions, limit: RateLimit): Identify {
  const limiter = new RateLimiter(limit);
  let checking = 0;
  return async (authorization) => {
    if (checking >= maxChecking) throw new Refusal("unavailable", "Too many tokens are being checked; try again.", 1);
    checking++;
    const caller = await authenticated(options, authorization).finally(() => checking--);
    // Before the limit: the token of a pod that is gone must not use up what its successor may ask.
    const workload = existing(options, caller);
    const wait = limiter.take(workload.key, options.now());
    if (wait > 0) throw new Refusal("too-many-requests", `Pod ${workload.key} asks too often; wait ${wait} s.`, wait);
    return workload;
  };
}

/** Each may be a call to the API server, and anybody can send tokens. */
const maxChecking = 200;

async function authenticated(options: CallersOptions, authorization: string | undefined): Promise<Caller> {
  const token = /^Bearer ([^\s]+)$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) throw unauthenticated();
  const caller = await options.authenticate(token, { audience: tokenAudience }).catch((err: unknown) => {
    options.logger.error({ err }, "token cannot be checked");
    throw new Refusal("unavailable", "Tokens cannot be checked now; try again.", 5);
  });
  if (caller === undefined) throw unauthenticated();
  return caller;
}

/** A token outlives its pod for a while, and a pod of that name may be another one by now. */
function existing(options: CallersOptions, caller: Caller): Workload {
  const key = `${caller.namespace}/${caller.pod}`;
  const workload = options.workload(key);
  if (workload === undefined) throw new Refusal("pod-unknown", `Pod ${key} is not known to the mesh (yet).`);
  const isSame = (caller.podUid ?? workload.uid) === workload.uid && (caller.serviceAccount ?? workload.serviceAccount) === workload.serviceAccount;
  if (!isSame) throw new Refusal("pod-unknown", `Pod ${key} is another one than the token was made for.`);
  return workload;
}
