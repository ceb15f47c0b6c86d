import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { parseDuration } from "../../std/duration.ts";

const help = `Usage: weft wait (--url URL [--timeout DURATION] | --for DURATION)

For lifecycle hooks, in images without a shell: ends when the URL answers with 2xx, or when the time is over.

  --url URL            asked four times a second
  --timeout DURATION   exit code 1 when it has not answered by then (60s)
  --for DURATION       only the time

Example:
  weft wait --url http://127.0.0.1:15020/ready/proxy --timeout 60s
`;

const flags = {
  url: { type: "string" },
  timeout: { type: "string", default: "60s" },
  for: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const pause = 250;
const oneAnswer = 2000;

/** Wrong usage; node:util, not commander: this runs beside a sidecar, in its memory. */
class UsageError extends Error {}

/** `weft wait`. Exit code 0, 1 when the URL does not answer in time, 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseArgs({ args: [...args], options: flags, strict: true });
    if (values.help === true) process.stdout.write(help);
    else if (values.for !== undefined) await delay(duration("--for", values.for));
    else return await awaitAnswer(parseUrl(values.url), duration("--timeout", values.timeout));
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError) && !isParseArgsError(error)) throw error;
    process.stderr.write(`weft wait: ${error.message}\n(--help shows the flags)\n`);
    return 2;
  }
}

async function awaitAnswer(url: URL, timeout: number): Promise<number> {
  const end = Date.now() + timeout;
  for (;;) {
    const obstacle = await ask(url);
    if (obstacle === undefined) return 0;
    if (Date.now() + pause > end) {
      process.stderr.write(`weft wait: ${url.href} did not become ready within ${timeout / 1000} s: ${obstacle}\n`);
      return 1;
    }
    await delay(pause);
  }
}

/** undefined = it answers; else what it does instead, in one line for the pod's event. */
async function ask(url: URL): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(oneAnswer) });
    const text = await answer.text();
    return answer.ok ? undefined : `${answer.status} ${text.trim().slice(0, 200)}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error ? cause.message : message;
  }
}

function parseUrl(text: string | undefined): URL {
  if (text === undefined) throw new UsageError("--url or --for is needed.");
  if (!URL.canParse(text)) throw new UsageError(`--url must be a URL, not '${text}'.`);
  return new URL(text);
}

function duration(flag: string, text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new UsageError(`${flag} must be a duration such as 60s, not '${text}'.`);
  return milliseconds;
}

function isParseArgsError(error: unknown): error is Error {
  return error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith("ERR_PARSE_ARGS_");
}
