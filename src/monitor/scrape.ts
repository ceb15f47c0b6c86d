import { setImmediate } from "node:timers/promises";
import { formatEndpoint } from "../std/endpoint.ts";
import { ports } from "../std/well-known.ts";
import type { Logger } from "../runtime/logger.ts";
import { Account, type Allowance } from "./allowance.ts";
import { relabelSteps, type NotPrometheus, type RelabelledFamily } from "./exposition-parser.ts";
import { labelsOf, mergeLabels, type Labels } from "./labels.ts";
import type { PodAnswer } from "./merge.ts";

/** One pod that a Monitor selects. */
export interface ScrapeTarget {
  readonly namespace: string;
  readonly pod: string;
  /** IP address. */
  readonly address: string;
  /** Where its adapter serves; 15090 unless it runs outside a pod. */
  readonly metricsPort?: number;
  readonly labels: Readonly<Record<string, string>>;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface ScrapeOptions {
  readonly fetch: Fetch;
  readonly logger: Logger;
  /** A pod for whose text nothing is left counts as one that does not answer. */
  readonly allowance: Allowance;
  /** What the answers cost, until they are no longer needed. */
  readonly account: Account;
}

/** Prometheus itself waits 10 s by default: what has not answered by then must not cost the rest. */
const deadlineMs = 8_000;
const podTimeoutMs = 3_000;
const parallel = 16;
const maxBytes = 16 * 1024 * 1024;

/**
 * Asks each pod for its metrics and labels them: `namespace`, `pod`, and `metricLabels` or else the pod's own labels.
 * Answers are in the order of the targets; a pod that cannot be read has `families: undefined`.
 */
export async function scrapeAll(
  targets: readonly ScrapeTarget[],
  metricLabels: Readonly<Record<string, string>> | undefined,
  options: ScrapeOptions,
): Promise<PodAnswer[]> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const answers: PodAnswer[] = [];
  const waiting = targets.entries();
  async function work(): Promise<void> {
    for (const [index, target] of waiting) {
      const labels = labelsOfTarget(target, metricLabels);
      answers[index] = { labels, families: await scrape(target, { ...options, labels, deadline }) };
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallel, targets.length) }, work));
  return answers;
}

/** `namespace` and `pod` are what the scrape knows; a chosen label of that name moves to `exported_…`. */
function labelsOfTarget(target: ScrapeTarget, metricLabels: Readonly<Record<string, string>> | undefined): Labels {
  return mergeLabels(labelsOf(metricLabels ?? target.labels), [
    ["namespace", target.namespace],
    ["pod", target.pod],
  ]);
}

interface PodScrape extends ScrapeOptions {
  readonly labels: Labels;
  readonly deadline: AbortSignal;
}

async function scrape(target: ScrapeTarget, { fetch, logger, allowance, account, labels, deadline }: PodScrape): Promise<PodAnswer["families"]> {
  const { namespace, pod } = target;
  const reading = new Account(allowance);
  try {
    const signal = AbortSignal.any([deadline, AbortSignal.timeout(podTimeoutMs)]);
    // A pod must not send us elsewhere.
    const response = await fetch(urlOf(target), { signal, redirect: "error", headers: { "accept-encoding": "identity" } });
    const families = await relabelSlowly(await readText(response, reading), labels);
    if ("reason" in families) {
      logger.warn({ namespace, pod, line: families.line, reason: families.reason }, "pod's metrics are not usable");
      return undefined;
    }
    account.take(families.reduce((sum, { samples }) => sum + samples.length, 0));
    return families;
  } catch (error) {
    logger.debug({ namespace, pod, err: error }, "pod's metrics cannot be read");
    return undefined;
  } finally {
    reading.close();
  }
}

function urlOf({ address, metricsPort = ports.prometheus }: ScrapeTarget): string {
  return `http://${formatEndpoint({ host: address, port: metricsPort })}/metrics?labels=none`;
}

async function relabelSlowly(text: string, labels: Labels): Promise<readonly RelabelledFamily[] | NotPrometheus> {
  const steps = relabelSteps(text, labels);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await setImmediate();
  }
}

/** What it costs is taken from the account. @throws when the answer is not 200 or too large. */
async function readText(response: Response, account: Account): Promise<string> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the answer has status ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    account.take(chunk.byteLength);
    length += chunk.byteLength;
    if (length > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
