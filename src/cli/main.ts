/**
 * The one door: `weft COMMAND …`. Each command is a module of its own and is loaded only when asked for, so that the
 * agent and the adapter, which run in every pod, carry only what they reach.
 */
type Run = (args: readonly string[]) => Promise<number>;
interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly run: Run }>;
}

const commands: Readonly<Record<string, Entry>> = {
  run: { summary: "the whole control plane on files", load: () => import("./commands/run.ts") },
  inject: { summary: "inject Pods and pod templates", load: () => import("./commands/inject.ts") },
  uninject: { summary: "the exact inverse of inject", load: () => import("./commands/uninject.ts") },
  patch: { summary: "the JSON Patch of each pod, as the webhook sends it", load: () => import("./commands/patch.ts") },
  explain: { summary: "why a pod is injected, skipped or rejected", load: () => import("./commands/explain.ts") },
  convert: { summary: "the first draft's literal YAML into Kubernetes objects", load: () => import("./commands/convert.ts") },
  translate: { summary: "what one pod's proxy is told", load: () => import("./commands/translate.ts") },
  check: { summary: "every Problem of a directory of resources", load: () => import("./commands/check.ts") },
  token: { summary: "a pod's token, for a control plane on files", load: () => import("./commands/token.ts") },
  demo: { summary: "the tour, on this machine, no cluster", load: () => import("./commands/demo.ts") },
  webhook: { summary: "process: the mutating admission webhook", load: () => import("./commands/webhook.ts") },
  controller: { summary: "process: config generator, CA, metrics server", load: () => import("./commands/controller.ts") },
  agent: { summary: "process: certificates and probes of one pod", load: () => import("./commands/agent.ts") },
  adapter: { summary: "process: statsd to Prometheus of one pod", load: () => import("./commands/adapter.ts") },
  wait: { summary: "for hooks of a pod: until a URL answers, or for a time", load: () => import("./commands/wait.ts") },
  init: { summary: "process: traffic redirection of one pod, then exit", load: () => import("./commands/init.ts") },
};

function usage(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return ["Usage: weft COMMAND [FLAGS]", "", ...lines, "", "weft COMMAND --help tells the flags of one.", ""].join("\n");
}

async function main(args: readonly string[]): Promise<number> {
  const [name = "--help", ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(usage());
    return 0;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    process.stderr.write(`weft: there is no command '${name}'.\n\n${usage()}`);
    return 2;
  }
  try {
    return await (await entry.load()).run(rest);
  } catch (error) {
    process.stderr.write(`weft ${name}: ${error instanceof Error ? formatError(error) : String(error)}\n`);
    return 1;
  }
}

/** A Failure is told by its message alone; anything else is a bug or failed I/O, and its trace helps. */
function formatError(error: Error): string {
  if (error.name === "Failure") return error.message;
  return process.env["WEFT_LOG_LEVEL"] === "debug" ? (error.stack ?? error.message) : error.message;
}

process.exitCode = await main(process.argv.slice(2));
