import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { parseAdmissionReview, reviewAnswer } from "../../api/admission.ts";
import { startFilesSource } from "../../files/source.ts";
import { median } from "../../std/median.ts";
import { createLogger } from "../../runtime/logger.ts";
import { answerRequest } from "../../../webhook/answer.ts";
import { createInjector } from "../../../webhook/inject/injector.ts";
import { demoNetwork } from "./network.ts";
import { podDocument } from "./resources.ts";
import type { Tour } from "./tour.ts";

/** Medians of an admission of pod foobar-v1, in microseconds. */
export interface AdmissionTimes {
  /** From the bytes of the review to the bytes of the answer, in this process. */
  readonly core: number;
  /** One call after the other over one TLS connection to the running webhook, as the API server calls it. */
  readonly https: number;
}

export async function measureAdmissions(tour: Tour, times: number): Promise<AdmissionTimes> {
  const review = { uid: "demo", kind: { group: "", version: "v1", kind: "Pod" }, operation: "CREATE", namespace: "demo", object: podDocument("foobar-v1") };
  const body = JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: review });
  return { core: await measureCore(tour, body, times * 5), https: await measureHttps(tour, body, times) };
}

async function measureCore(tour: Tour, body: string, times: number): Promise<number> {
  const source = await startFilesSource({ directory: join(tour.folder, "resources"), logger: createLogger("demo", "silent") });
  const injector = createInjector(source.meshConfig(), "1.36");
  const { objects } = source.current();
  const taken: number[] = [];
  for (let i = 0; i < times; i += 1) {
    const started = performance.now();
    const parsed = parseAdmissionReview(JSON.parse(body));
    if ("fault" in parsed) throw new Error(parsed.fault);
    const answer = answerRequest(parsed.request, objects, injector);
    if ("fault" in answer || answer.response.patch === undefined) throw new Error("the pod was not injected");
    JSON.stringify(reviewAnswer(answer.response));
    taken.push(performance.now() - started);
  }
  await source.stop();
  return median(taken) * 1000;
}

async function measureHttps(tour: Tour, body: string, times: number): Promise<number> {
  const ca = await readFile(join(tour.folder, "state/webhook-ca.pem"), "utf8");
  const agent = new Agent({ ca, keepAlive: true, maxSockets: 1 });
  const taken: number[] = [];
  try {
    for (let i = 0; i < times; i += 1) {
      const started = performance.now();
      await post(agent, body);
      taken.push(performance.now() - started);
    }
  } finally {
    agent.destroy();
  }
  return median(taken) * 1000;
}

function post(agent: Agent, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const call = request({ agent, host: demoNetwork.host, port: 10250, path: "/mutate?timeout=5s", method: "POST", headers }, (response) => {
      response.resume();
      response.on("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(`the webhook answered ${String(response.statusCode)}`))));
      response.on("error", reject);
    });
    call.on("error", reject);
    call.end(body);
  });
}
