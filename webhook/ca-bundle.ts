import type { Logger } from "../src/runtime/logger.ts";
import type { Rotating } from "../src/std/rotating.ts";
import type { WebhookIdentity } from "./start.ts";

export interface CaBundleOptions {
  readonly certificates: Rotating<WebhookIdentity>;
  /** Server-side apply of one object, with the field manager of the webhook. */
  readonly apply: (object: object) => Promise<unknown>;
  /** Names of the entries in the configuration. */
  readonly webhooks: readonly string[];
  readonly logger: Logger;
  /** Milliseconds between two looks, so that what somebody overwrote comes back; default 5 minutes. */
  readonly period?: number;
  /** Milliseconds to the next try after a failure; default 5 s. */
  readonly retry?: number;
}

/** The MutatingWebhookConfiguration of the chart. */
export const configurationName = "weft";
export const webhookNames = ["namespace.weft.mesh", "pod.weft.mesh"] as const;
/** Field manager of the fields that the webhook owns. */
export const fieldManager = "weft-webhook";

/** Only what the webhook owns: server-side apply merges the list by `name` and leaves all other fields to the chart. */
export function caBundleObject(caBundle: string, webhooks: readonly string[]): object {
  const encoded = Buffer.from(caBundle).toString("base64");
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: configurationName },
    webhooks: webhooks.map((name) => ({ name, clientConfig: { caBundle: encoded } })),
  };
}

/**
 * Keeps `caBundle` of the chart's configuration equal to the certificates' CA: now, after each rotation, and every
 * `period`. A failure is logged and tried again; it never ends the process, since the configuration may come later.
 */
export function keepCaBundle(options: CaBundleOptions): { stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  async function write(): Promise<void> {
    clearTimeout(timer);
    const wait = await writeOnce(options);
    if (!stopped) timer = setTimeout(schedule, wait);
  }
  /** One after the other: an older bundle must not arrive last. */
  function schedule(): void {
    running = running.then(() => (stopped ? undefined : write()));
  }
  const forget = options.certificates.onChange(schedule);
  schedule();
  return {
    async stop() {
      stopped = true;
      forget();
      clearTimeout(timer);
      await running;
    },
  };
}

/** Resolves with the milliseconds to the next time. */
async function writeOnce({ certificates, apply, webhooks, logger, period = 300_000, retry = 5000 }: CaBundleOptions): Promise<number> {
  try {
    await apply(caBundleObject(certificates.current().caBundle, webhooks));
    return period;
  } catch (err) {
    logger.warn({ err, retry }, "caBundle not written, trying again");
    return retry;
  }
}
