import { join } from "node:path";
import type { WorkloadSettings } from "../../src/api/certificates.ts";
import { CaError } from "./ca-client.ts";
import { writeIfChanged } from "./certificate-files.ts";
import type { KeepOptions } from "./keep-certificate.ts";
import { parseObject } from "./obtain.ts";
import { backOff, Pause } from "./pause.ts";

export interface SettingsOptions extends KeepOptions {
  readonly onSettings: (settings: WorkloadSettings) => void;
}

const waitSeconds = 60;
/** Between two questions at least, whatever the server answers. */
const shortestRound = 1000;

/** Keeps `settings.json` as the CA says it, by long polls. Failures are logged and tried again for ever; the last file stays. */
export async function keepSettings(options: SettingsOptions): Promise<void> {
  const { signal, logger } = options;
  let etag: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const started = Date.now();
    try {
      etag = await poll(options, etag);
      failures = 0;
      await new Pause().until(started + shortestRound, signal);
    } catch (err) {
      if (signal.aborted) return;
      logger.warn({ err }, "no settings");
      failures += 1;
      const asked = err instanceof CaError ? (err.retryAfterSeconds ?? 0) * 1000 : 0;
      await new Pause().until(Date.now() + asked + backOff(failures, Math.random()), signal);
    }
  }
}

/** One question: answered at once the first time, then when something has changed or the wait is over. Gives the new ETag. */
async function poll(options: SettingsOptions, etag: string | undefined): Promise<string | undefined> {
  const headers: Record<string, string> = etag === undefined ? {} : { "if-none-match": etag, prefer: `wait=${waitSeconds}` };
  const answer = await options.ca.call({ method: "GET", path: "/v1/workload", headers, timeoutSeconds: waitSeconds + 30, signal: options.signal });
  if (answer.status === 304) return etag;
  const settings = parseSettings(answer.body);
  await writeIfChanged(join(options.directory, "settings.json"), `${JSON.stringify(settings)}\n`);
  options.onSettings(settings);
  return answer.etag;
}

function parseSettings(body: string): WorkloadSettings {
  const { metricLabels, subjectNames } = parseObject(body);
  if (!isTextRecord(metricLabels) || !Array.isArray(subjectNames)) throw new CaError("The CA's answer is no workload settings.");
  return { metricLabels, subjectNames: subjectNames.map(String) };
}

function isTextRecord(value: unknown): value is Record<string, string> {
  return typeof value === "object" && value !== null && Object.values(value).every((entry) => typeof entry === "string");
}
