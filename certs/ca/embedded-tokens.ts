import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { KeyStore } from "../../src/std/key-store.ts";

/** Who a token speaks for: a pod, by what attests it. */
export interface Caller {
  readonly namespace: string;
  readonly pod: string;
  /** Absent where the token does not say; then the pod's own counts. */
  readonly serviceAccount?: string;
  readonly podUid?: string;
}

/** undefined = the token proves nothing, whatever the reason. Rejects when it cannot be checked now. */
export type Authenticate = (token: string, check: { readonly audience: string }) => Promise<Caller | undefined>;

export interface TokenRequest extends Caller {
  readonly audience: string;
  readonly expiresInSeconds: number;
}

export interface EmbeddedTokens {
  readonly mint: (request: TokenRequest) => string;
  readonly authenticate: Authenticate;
}

/**
 * What stands in for projected service-account tokens where there is no API server: JWTs (RFC 7519, HS256), made and
 * verified with a key kept in `store` and made at first use. Whoever can read that store can be any pod.
 */
export async function openEmbeddedTokens(store: KeyStore, now: () => number): Promise<EmbeddedTokens> {
  const key = await openKey(store);
  return {
    mint: (request) => mint(request, key, now()),
    authenticate: async (token, { audience }) => verify(token, { key, audience, now: now() }),
  };
}

const entry = "token.key";

async function openKey(store: KeyStore): Promise<Buffer> {
  const stored = (await store.read()) ?? (await createKey(store));
  const key = Buffer.from(stored[entry] ?? "", "base64");
  if (key.length !== 32) throw new Error(`The key of the embedded tokens (${entry}) is broken; remove it for a new one (running agents then need new tokens).`);
  return key;
}

async function createKey(store: KeyStore): Promise<Readonly<Record<string, string>>> {
  const fresh = { [entry]: randomBytes(32).toString("base64") };
  return (await store.create(fresh)) === "created" ? fresh : ((await store.read()) ?? {});
}

const header = encode({ alg: "HS256", typ: "JWT" });

function mint(request: TokenRequest, key: Buffer, now: number): string {
  const issued = Math.floor(now / 1000);
  const { namespace, pod, serviceAccount, podUid } = request;
  const claims = encode({ aud: request.audience, iat: issued, exp: issued + request.expiresInSeconds, namespace, pod, serviceAccount, podUid });
  return `${header}.${claims}.${signature(`${header}.${claims}`, key)}`;
}

function verify(token: string, check: { readonly key: Buffer; readonly audience: string; readonly now: number }): Caller | undefined {
  const [head, claims = "", signed = "", ...rest] = token.split(".");
  // Only our own header: the algorithm is never the sender's choice.
  if (head !== header || rest.length > 0) return undefined;
  if (!isEqual(signed, signature(`${head}.${claims}`, check.key))) return undefined;
  const content = decode(claims);
  if (content["aud"] !== check.audience || !(Number(content["exp"]) * 1000 > check.now)) return undefined;
  return callerOf(content);
}

function callerOf(content: Readonly<Record<string, unknown>>): Caller | undefined {
  const { namespace, pod, serviceAccount, podUid } = content;
  if (typeof namespace !== "string" || typeof pod !== "string") return undefined;
  return {
    namespace,
    pod,
    ...(typeof serviceAccount === "string" ? { serviceAccount } : {}),
    ...(typeof podUid === "string" ? { podUid } : {}),
  };
}

function signature(text: string, key: Buffer): string {
  return createHmac("sha256", key).update(text).digest("base64url");
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** Only reached with a good signature, so it is JSON that we wrote. */
function decode(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(text, "base64url").toString()) as Readonly<Record<string, unknown>>;
}
