import type { IncomingMessage } from "node:http";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { parseAdmissionReview, reviewAnswer, type AdmissionRequest } from "../src/api/admission.ts";
import type { MeshConfig } from "../src/api/mesh-config.ts";
import type { ObjectSource } from "../src/api/objects.ts";
import type { Logger } from "../src/runtime/logger.ts";
import { handshakeTimeout, httpLimits } from "../src/runtime/server-limits.ts";
import type { TlsIdentity } from "../src/std/rotating.ts";
import { answerRequest, namespaceOf, type Answer } from "./answer.ts";
import { awaitNamespace } from "./await-namespace.ts";
import { createInjector, type Injector } from "./inject/injector.ts";
import { recordAt, textAt } from "./inject/opaque.ts";
import type { AdmissionMetrics } from "./metrics.ts";
import { bodyLimit, BodyReader, parseJson } from "./read-body.ts";

export interface AppDependencies {
  readonly source: ObjectSource;
  /** The mesh configuration now; another object when it changed. */
  readonly config: () => MeshConfig;
  readonly kubernetesVersion: string;
  readonly logger: Logger;
  readonly metrics: AdmissionMetrics;
  /** What keeps the webhook from being ready, a sentence each. */
  readonly obstacles: () => readonly string[];
  /** How long a pod of a namespace that is not known yet may wait, in milliseconds; 0 on files. */
  readonly namespaceWait: number;
  /** Absent in tests that inject requests. */
  readonly tls?: TlsIdentity;
}

/** The API server, which speaks HTTP/1.1 here, opens one for each admission that it waits for. */
const maxConnections = 2_000;

/**
 * The webhook as a function of what it depends on: `POST /mutate`, `/healthz`, `/readyz`. A call is answered with a valid
 * AdmissionReview, or with 4xx and a Kubernetes Status, whose message the API server shows. Throws a RangeError when the
 * configuration cannot make a proxy's bootstrap.
 */
export function buildApp(dependencies: AppDependencies): FastifyInstance {
  const { tls } = dependencies;
  const options = { bodyLimit, logger: false, requestTimeout: httpLimits.requestTimeout, return503OnClosing: false, forceCloseConnections: "idle" as const };
  const app = tls === undefined ? Fastify(options) : (Fastify({ ...options, https: { ...tlsOptions(tls), handshakeTimeout, ...httpLimits } }) as unknown as FastifyInstance);
  app.server.maxConnections = maxConnections;
  acceptJson(app);
  app.setErrorHandler((error: FastifyError, _request, reply) => refuse(reply, dependencies, error));
  app.setNotFoundHandler((request, reply) => sendStatus(reply, 404, `there is no ${request.method} ${request.url}; the webhook answers POST /mutate`));
  const injector = followConfig(dependencies);
  app.post("/mutate", (request, reply) => mutate(request, reply, { ...dependencies, injector }));
  app.get("/healthz", () => "ok\n");
  app.get("/readyz", (_request, reply) => {
    const obstacles = dependencies.obstacles();
    return reply.code(obstacles.length === 0 ? 200 : 503).type("text/plain").send(`${obstacles.join("\n") || "ok"}\n`);
  });
  return app;
}

/** For `createServer` and for `setSecureContext`, which wants all of them each time. */
export function tlsOptions({ key, certificateChain }: TlsIdentity): { readonly key: string; readonly cert: string; readonly minVersion: "TLSv1.2" } {
  return { key, cert: certificateChain, minVersion: "TLSv1.2" };
}

/**
 * Fastify's own parser answers 400 to a `__proto__` key anywhere in a pod. JSON.parse makes it an ordinary own property,
 * and nothing here copies by assignment: the user's pod is let through.
 */
function acceptJson(app: FastifyInstance): void {
  const bodies = new BodyReader();
  app.addHook("onRequest", async (request, reply) => {
    reply.raw.once("close", () => bodies.release(request.raw));
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", async (_request: FastifyRequest, body: IncomingMessage) => parseJson(await bodies.read(body)));
}

interface MutateDependencies extends AppDependencies {
  readonly injector: () => Injector;
}

async function mutate(request: FastifyRequest, reply: FastifyReply, dependencies: MutateDependencies): Promise<FastifyReply> {
  const review = parseAdmissionReview(request.body);
  if ("fault" in review) return refuse(reply, dependencies, badRequest(review.fault));
  await awaitNamespace(dependencies.source, namespaceOf(review.request), dependencies.namespaceWait);
  const started = performance.now();
  const answer = answerRequest(review.request, dependencies.source.current().objects, dependencies.injector());
  if ("fault" in answer) return refuse(reply, dependencies, badRequest(answer.fault));
  const milliseconds = performance.now() - started;
  dependencies.metrics.admitted(answer.code, milliseconds / 1000);
  record(dependencies.logger, { request: review.request, answer, milliseconds });
  return reply.send(reviewAnswer(answer.response));
}

interface AdmissionRecord {
  readonly request: AdmissionRequest;
  readonly answer: Answer;
  readonly milliseconds: number;
}

function record(logger: Logger, { request, answer, milliseconds }: AdmissionRecord): void {
  const metadata = recordAt(request.object, "metadata");
  logger.info(
    {
      namespace: namespaceOf(request),
      pod: textAt(metadata, "name") || textAt(metadata, "generateName"),
      decision: answer.decision,
      code: answer.code,
      rules: answer.rules,
      dryRun: request.dryRun ?? false,
      uid: request.uid,
      microseconds: Math.round(milliseconds * 1000),
    },
    "admission",
  );
}

/** The injector of the current configuration. A configuration that cannot be used is told once, and the last good one stays. */
function followConfig({ config, kubernetesVersion, logger }: AppDependencies): () => Injector {
  let seen = config();
  let injector = createInjector(seen, kubernetesVersion);
  return () => {
    const now = config();
    if (now === seen) return injector;
    seen = now;
    try {
      injector = createInjector(now, kubernetesVersion);
    } catch (err) {
      logger.error({ err }, "mesh configuration cannot be used, the last good one stays");
    }
    return injector;
  };
}

function badRequest(message: string): Error & { readonly statusCode: number } {
  return Object.assign(new Error(message), { statusCode: 400 });
}

/** Client errors are the caller's; anything else is ours, and its text stays in the log. */
function refuse(reply: FastifyReply, { logger, metrics }: AppDependencies, error: Error & { readonly statusCode?: number }): FastifyReply {
  // Only what is nested without end exhausts the stack.
  const status = error instanceof RangeError ? 400 : (error.statusCode ?? 500);
  metrics.refused();
  if (status === 500) {
    logger.error({ err: error }, "admission failed");
    return sendStatus(reply, 500, "the webhook failed; its log says why");
  }
  const message = error instanceof RangeError ? "the review is nested too deeply" : error.message;
  logger.warn({ status, reason: message }, "admission request refused");
  // What is left of the body is not worth waiting for.
  if (status === 413 || status === 503) reply.header("connection", "close");
  return sendStatus(reply, status, message);
}

/** A Kubernetes Status: the API server takes its message over into its own error. */
function sendStatus(reply: FastifyReply, code: number, message: string): FastifyReply {
  return reply.code(code).send({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code, message: `weft: ${message}` });
}
