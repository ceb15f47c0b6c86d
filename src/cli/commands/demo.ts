import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { story } from "../demo/story.ts";
import { createTelling } from "../demo/telling.ts";
import { Tour } from "../demo/tour.ts";
import { mayMakeNetworks, runInUserNamespace } from "../demo/unprivileged.ts";
import { createProgram, exitCodes, parseArguments } from "../program.ts";

/** `weft demo`: the tour. Exit code 1 when a step is not as it should be. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram("demo", "The tour of weft on this machine: no cluster, nothing left behind. Needs Linux, and root or a user namespace.", "weft demo");
  const ended = parseArguments(program, args);
  if (ended !== undefined) return ended;
  if (!mayMakeNetworks()) return runInUserNamespace(args);
  const started = performance.now();
  const tell = createTelling(process.stdout);
  process.stdout.write("weft: a service mesh by injection, on this machine. Preparing Envoy, iptables and a bridge…\n");
  const tour = await Tour.prepare(bundleFolder());
  const stop = endOnSignal(tour);
  try {
    for (const step of story) await step(tour, tell);
  } catch (error) {
    await tellLogs(tour);
    throw error;
  } finally {
    stop();
    await tour.end();
  }
  process.stdout.write(`\nDone in ${((performance.now() - started) / 1000).toFixed(0)} s; everything is taken away again. Next: the README, "On a cluster".\n`);
  return exitCodes.done;
}

/** `dist`: this module is bundled into it; from source, the bundle stands beside src. */
function bundleFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const source = here.lastIndexOf("/src/cli/");
  if (source !== -1) return `${here.slice(0, source)}/dist`;
  return here.endsWith("/chunks") ? dirname(here) : here;
}

/** Ctrl-C takes down what the tour made. */
function endOnSignal(tour: Tour): () => void {
  function end(): void {
    process.stderr.write("\nweft demo: taking everything down\n");
    void tour.end().finally(() => process.exit(130));
  }
  process.once("SIGINT", end).once("SIGTERM", end);
  return () => process.off("SIGINT", end).off("SIGTERM", end);
}

async function tellLogs(tour: Tour): Promise<void> {
  if (!tour.isRunning) return;
  const lines = await tour.controlPlane.log();
  for (const line of lines.slice(-8)) process.stderr.write(`weft run: ${JSON.stringify(line)}\n`);
}
