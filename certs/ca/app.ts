import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerOptions } from "fastify";
import { CertificateRequest, type IssuedCertificate, type WorkloadSettings } from "../../src/api/certificates.ts";
import type { Workload } from "../../src/mesh/snapshot.ts";
import { httpLimits } from "../../src/runtime/server-limits.ts";
import { readCsr } from "../x509/csr.ts";
import type { Authority } from "./authority.ts";
import { createIdentify, type CallersOptions, type Identify } from "./callers.ts";
import { etagOf, Waiters, waitSeconds } from "./long-poll.ts";
import { problemDetails, Refusal, refusals } from "./refusals.ts";

export interface CaAppOptions extends CallersOptions {
  readonly authority: Authority;
  /** What a workload's `GET /v1/workload` answers; undefined = the pod is not known. */
  readonly settings: (key: string) => WorkloadSettings | undefined;
  /** Called when any workload's settings may have changed; returns what ends it. */
  readonly onChange: (listener: () => void) => () => void;
  /** The life of a leaf when the request asks for none, and the longest it may ask for. */
  readonly ttlSeconds: () => number;
}

/** A request holds a CSR of 16 KiB at most, which JSON can make half as long again. */
const bodyLimit = 32 * 1024;
/** A pod needs one certificate in 16 hours, and a few while it starts. */
const certificateLimit = { burst: 10, perSecond: 0.5 };
const workloadLimit = { burst: 30, perSecond: 1 };

/**
 * The CA's wire contract (DESIGN §6) as a Fastify app, not yet listening: `POST /v1/certificates`, `GET /v1/trust-bundle`,
 * `GET /v1/workload`. Who calls is settled before a byte of the body is read.
 */
export function buildCaApp(options: CaAppOptions, server: FastifyServerOptions | object = {}): FastifyInstance {
  const app: FastifyInstance = Fastify({
    ...server,
    bodyLimit,
    requestTimeout: httpLimits.requestTimeout,
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  });
  app.setErrorHandler((error: FastifyError, _request, reply) => refuse(reply, asRefusal(error, options)));
  app.setNotFoundHandler((_request, reply) => refuse(reply, new Refusal("not-found", "There is nothing at this address.")));
  app.get("/v1/trust-bundle", (_request, reply) => reply.type("application/x-pem-file").send(options.authority.trustBundle()));
  addCertificates(app, options);
  addWorkload(app, options);
  return app;
}

function addCertificates(app: FastifyInstance, options: CaAppOptions): void {
  const callers = identified(createIdentify(options, certificateLimit));
  app.post<{ Body: CertificateRequest }>("/v1/certificates", { onRequest: callers.hook, schema: { body: CertificateRequest } }, (request) =>
    issue(options, callers.of(request), request.body),
  );
}

async function issue(options: CaAppOptions, workload: Workload, body: CertificateRequest): Promise<IssuedCertificate> {
  const csr = await readCsr(body.csr);
  if ("problem" in csr) throw new Refusal("csr-refused", csr.problem);
  const longest = options.ttlSeconds();
  const { identity, subjectNames: dnsNames } = workload;
  const issued = await options.authority.issueWorkload({ publicKey: csr.publicKey, identity, dnsNames, ttlSeconds: Math.min(body.ttlSeconds ?? longest, longest) });
  const expiresAt = new Date(issued.expiresAt).toISOString();
  options.logger.info({ namespace: workload.namespace, pod: workload.name, identity, dnsNames, expiresAt }, "certificate issued");
  return { certificateChain: issued.certificateChain, trustBundle: options.authority.trustBundle(), expiresAt, renewAt: new Date(issued.renewAt).toISOString() };
}

function addWorkload(app: FastifyInstance, options: CaAppOptions): void {
  const waiters = new Waiters(options.onChange);
  const callers = identified(createIdentify(options, workloadLimit));
  app.addHook("preClose", async () => waiters.stop());
  app.get("/v1/workload", { onRequest: callers.hook }, async (request, reply) => {
    const wait = waiters.start(callers.of(request).key, waitSeconds(request.headers.prefer));
    reply.raw.on("close", wait.end);
    const known = request.headers["if-none-match"];
    let text = currentSettings(options, callers.of(request));
    while (etagOf(text) === known && !wait.isOver()) {
      await wait.change();
      text = currentSettings(options, callers.of(request));
    }
    wait.end();
    reply.header("etag", etagOf(text)).header("cache-control", "no-store");
    return etagOf(text) === known ? reply.code(304).send() : reply.type("application/json").send(text);
  });
}

/** Of the same pod as when the request came: one of its name that was made since is somebody else. */
function currentSettings(options: CaAppOptions, workload: Workload): string {
  const settings = options.workload(workload.key)?.uid === workload.uid ? options.settings(workload.key) : undefined;
  if (settings === undefined) throw new Refusal("pod-unknown", `Pod ${workload.key} is gone.`);
  return JSON.stringify(settings);
}

/** Runs before the body is read, and keeps who it was for the handler. */
function identified(identify: Identify) {
  const known = new WeakMap<FastifyRequest["raw"], Workload>();
  return {
    hook: async (request: FastifyRequest): Promise<void> => {
      known.set(request.raw, await identify(request.headers.authorization));
    },
    of: (request: { readonly raw: FastifyRequest["raw"] }): Workload => {
      const workload = known.get(request.raw);
      if (workload === undefined) throw new Error("a handler ran without its hook");
      return workload;
    },
  };
}

function asRefusal(error: FastifyError | Refusal, options: CaAppOptions): Refusal {
  if (error instanceof Refusal) return error;
  const status = error.statusCode ?? 500;
  if (status === 413) return new Refusal("request-too-large", `The body is larger than ${bodyLimit} bytes.`);
  if (status >= 400 && status < 500) return new Refusal("request-invalid", error.message);
  options.logger.error({ err: error }, "request failed");
  return new Refusal("unavailable", "The certificate authority cannot answer now; try again.", 5);
}

function refuse(reply: FastifyReply, refusal: Refusal): FastifyReply {
  if (refusal.retryAfter !== undefined) reply.header("retry-after", refusal.retryAfter);
  if (refusal.code === "unauthenticated") reply.header("www-authenticate", "Bearer");
  return reply.code(refusals[refusal.code].status).type("application/problem+json").send(problemDetails(refusal));
}
