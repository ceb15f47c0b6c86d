/**
 * The workflow chapter of seed 000 on a real cluster, from `helm install` to `helm uninstall`: `make e2e`.
 * Ends with exit code 1 at the first step that is not as it should be, and leaves nothing behind either way.
 */
import { createTelling } from "../../src/cli/demo/telling.ts";
import { openCluster } from "./cluster.ts";
import { cleanUp, install, uninstall } from "./installation.ts";
import { story } from "./story.ts";
import { run } from "./kubectl.ts";

const started = performance.now();
const tell = createTelling(process.stdout);
let failed = false;
try {
  const cluster = openCluster();
  process.stdout.write(`weft on ${cluster.title}\n`);
  try {
    await cleanUp();
    await install(cluster, tell);
    for (const step of story) await step(tell);
    await uninstall(tell);
  } catch (error) {
    failed = true;
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    await tellCluster();
    if (process.env["WEFT_E2E_KEEP"] === undefined) await cleanUp();
  } finally {
    cluster.close();
  }
} catch (error) {
  failed = true;
  process.stderr.write(`e2e: ${error instanceof Error ? error.message : String(error)}\n`);
}
process.stdout.write(failed ? "\ne2e failed\n" : `\ne2e passed in ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
process.exitCode = failed ? 1 : 0;

/** What a person would look at first. */
async function tellCluster(): Promise<void> {
  for (const args of [["get", "pods", "-A", "-o", "wide"], ["get", "events", "-A", "--sort-by=.lastTimestamp"], ["-n", "weft-system", "logs", "deployment/weft-controller", "--tail=15"], ["-n", "weft-system", "logs", "deployment/weft-webhook", "--tail=15"]]) {
    const text = await run("kubectl", args).catch((error: unknown) => String(error));
    process.stderr.write(`\n$ kubectl ${args.join(" ")}\n${text.split("\n").slice(-25).join("\n")}\n`);
  }
}
