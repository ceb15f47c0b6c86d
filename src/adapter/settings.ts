import { readFile } from "node:fs/promises";
import type { WorkloadSettings } from "../api/certificates.ts";
import { labelsOf, type Labels } from "../monitor/labels.ts";
import type { Logger } from "../runtime/logger.ts";

/** The labels of every series, from the file that the agent writes. */
export interface SettingsReader {
  /** As the file says now. Never rejects: a file that is missing or wrong leaves what was read last in force. */
  labels(): Promise<Labels>;
  /** false: the file cannot be used; its last good content is in force. */
  valid(): boolean;
}

/**
 * Reads the file whenever its labels are wanted, which is once a scrape: no watch to lose over a rename, and what is
 * answered is never older than the question. A file that is not there yet means no labels, and is nothing to log.
 */
export function createSettingsReader(path: string | undefined, logger: Logger): SettingsReader {
  let text: string | undefined;
  let labels: Labels = [];
  let valid = true;

  function take(fresh: string): void {
    text = fresh;
    const settings = parse(fresh);
    valid = typeof settings !== "string";
    if (typeof settings === "string") logger.error({ path, reason: settings }, "settings are not usable; the last good ones stay");
    else labels = labelsOf(settings.metricLabels);
  }

  return {
    async labels() {
      const fresh = path === undefined ? undefined : await read(path, logger);
      if (fresh !== undefined && fresh !== text) take(fresh);
      return labels;
    },
    valid: () => valid,
  };
}

async function read(path: string, logger: Logger): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (!missing) logger.error({ path, err: error }, "settings cannot be read; the last good ones stay");
    return undefined;
  }
}

/** The schema by hand (a test holds the two together): its library would cost each monitored pod 3.5 MB. */
export function isSettings(value: unknown): value is WorkloadSettings {
  if (typeof value !== "object" || value === null) return false;
  const { metricLabels, subjectNames } = value as Partial<Record<keyof WorkloadSettings, unknown>>;
  if (!Array.isArray(subjectNames) || !subjectNames.every(isText)) return false;
  return typeof metricLabels === "object" && metricLabels !== null && !Array.isArray(metricLabels) && Object.values(metricLabels).every(isText);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function parse(text: string): WorkloadSettings | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return isSettings(value) ? value : "not of the form { metricLabels: { NAME: TEXT }, subjectNames: [TEXT] }";
}
