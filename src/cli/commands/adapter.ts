import { once } from "node:events";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { startAdapter, type AdapterOptions } from "../../adapter/start.ts";
import { createLogger } from "../../runtime/logger.ts";
import { parseDuration } from "../../std/duration.ts";
import { parseEndpoint, type Endpoint } from "../../std/endpoint.ts";

const help = `Usage: weft adapter [FLAGS]

One pod's statsd (TCP and UDP) to Prometheus. Every flag has an environment variable.

  --statsd HOST:PORT   where statsd is taken          WEFT_STATSD      127.0.0.1:9125
  --metrics HOST:PORT  where /metrics is served       WEFT_METRICS     0.0.0.0:15090
  --settings FILE      labels, as the agent writes    WEFT_SETTINGS    none
  --max-series N       more are dropped, and counted  WEFT_MAX_SERIES  10000
  --ttl DURATION       silent series go; 0 = never    WEFT_TTL         10m

Example:
  weft adapter --statsd 127.0.0.1:9125 --metrics 127.0.0.1:15090 --ttl 10m
`;

const flags = {
  statsd: { type: "string" },
  metrics: { type: "string" },
  settings: { type: "string" },
  "max-series": { type: "string" },
  ttl: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** Wrong usage: told to the person, exit code 2. node:util, not commander: this process runs in every pod. */
class UsageError extends Error {}

/** `weft adapter`: runs until SIGTERM or SIGINT. Exit code 0, or 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === "string") {
    process.stderr.write(`weft adapter: ${options} (--help shows the flags)\n`);
    return 2;
  }
  if (options === undefined) {
    process.stdout.write(help);
    return 0;
  }
  // Young objects here live for a line or a scrape: with no room to grow for them, and V8 collecting for size, 1,000 series
  // take 10 MB less.
  for (const flag of ["--semi-space-growth-factor=1", "--optimize-for-size"]) setFlagsFromString(flag);
  const logger = createLogger("adapter");
  const stopped = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stopped.abort());
  const adapter = await startAdapter({ ...options, logger });
  logger.info(adapter.addresses, "adapter is listening");
  if (!stopped.signal.aborted) await Promise.race([once(stopped.signal, "abort"), adapter.quit]);
  await adapter.stop();
  return 0;
}

/** undefined: help was asked for; a text: what is wrong. */
function readOptions(args: readonly string[]): Omit<AdapterOptions, "logger"> | string | undefined {
  try {
    const { values } = parseArgs({ args: [...args], options: flags, strict: true });
    if (values.help === true) return undefined;
    const settingsFile = given(values.settings, "WEFT_SETTINGS", "");
    return {
      statsd: address("--statsd", given(values.statsd, "WEFT_STATSD", "127.0.0.1:9125")),
      metrics: address("--metrics", given(values.metrics, "WEFT_METRICS", "0.0.0.0:15090")),
      ...(settingsFile === "" ? {} : { settingsFile }),
      maxSeries: wholeNumber("--max-series", given(values["max-series"], "WEFT_MAX_SERIES", "10000")),
      ttlMs: duration("--ttl", given(values.ttl, "WEFT_TTL", "10m")),
    };
  } catch (error) {
    if (error instanceof UsageError || isParseArgsError(error)) return error.message;
    throw error;
  }
}

/** The flag, else the environment variable, else the default. */
function given(flag: string | undefined, variable: string, fallback: string): string {
  return flag ?? process.env[variable] ?? fallback;
}

function isParseArgsError(error: unknown): error is Error {
  return error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith("ERR_PARSE_ARGS_");
}

function address(flag: string, text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) throw new UsageError(`${flag} must be HOST:PORT, such as 127.0.0.1:9125 or [::1]:9125, not '${text}'`);
  return endpoint;
}

function wholeNumber(flag: string, text: string): number {
  if (!/^[1-9][0-9]{0,7}$/.test(text)) throw new UsageError(`${flag} must be a whole number from 1 to 99999999, not '${text}'`);
  return Number(text);
}

function duration(flag: string, text: string): number {
  const milliseconds = text === "0" ? 0 : parseDuration(text);
  if (milliseconds === undefined) throw new UsageError(`${flag} must be a duration such as 30s, 10m or 1h, or 0, not '${text}'`);
  return milliseconds;
}
