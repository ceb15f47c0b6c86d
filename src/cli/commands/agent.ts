import { parseArgs } from "node:util";
import { parseProbes } from "../../../certs/agent/probes.ts";
import { startAgent, type AgentOptions } from "../../../certs/agent/start.ts";
import { createLogger } from "../../runtime/logger.ts";
import { formatEndpoint, parseEndpoint, type Endpoint } from "../../std/endpoint.ts";
import { paths, ports } from "../../std/well-known.ts";

/** Flag → its environment variable and what it is; the flag wins. */
const flags = {
  ca: { variable: "WEFT_CA", fallback: undefined, help: "URL of the certificate authority, https://HOST:PORT" },
  "trust-bundle": { variable: "WEFT_TRUST_BUNDLE", fallback: paths.trustBundle, help: "PEM file of the roots that the authority is known by" },
  token: { variable: "WEFT_TOKEN", fallback: paths.token, help: "file of the pod's token" },
  directory: { variable: "WEFT_DIRECTORY", fallback: paths.run, help: "run directory, shared with the proxy" },
  health: { variable: "WEFT_HEALTH", fallback: `0.0.0.0:${ports.agent}`, help: "HOST:PORT of health and probes" },
  admin: { variable: "WEFT_ADMIN", fallback: `127.0.0.1:${ports.admin}`, help: "HOST:PORT of Envoy's admin interface" },
} as const;

type Flag = keyof typeof flags;

const example = "weft agent --ca https://127.0.0.1:15012 --trust-bundle roots.pem --token token --directory run --health 127.0.0.1:15020";

/** Wrong usage; the program module would bring commander, which is a megabyte in every pod. */
class UsageError extends Error {}

/** `weft agent`: keeps one pod's certificate and settings until SIGTERM or SIGINT. */
export async function run(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(usage());
    return 0;
  }
  try {
    const options = parseOptions(args, process.env);
    const asked = askedToEnd();
    const agent = await startAgent(options);
    process.stderr.write(`weft agent: health on http://${agent.address}\n`);
    await Promise.race([asked.then(() => agent.drain()), agent.quit]);
    await agent.stop();
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`weft agent: ${error.message}\n(--help shows the flags)\n`);
    return 2;
  }
}

/** As process 1 of a container a signal without a handler is ignored, so it is there before anything else. */
function askedToEnd(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", () => resolve()).once("SIGINT", () => resolve());
  });
}

function parseOptions(args: readonly string[], environment: NodeJS.ProcessEnv): AgentOptions {
  const values = parseFlags(args);
  function value(flag: Flag): string {
    const found = values[flag] ?? environment[flags[flag].variable] ?? flags[flag].fallback;
    if (found === undefined || found === "") throw new UsageError(`--${flag} (or ${flags[flag].variable}) is needed: ${flags[flag].help}.`);
    return found;
  }
  const ca = value("ca");
  if (!URL.canParse(ca) || new URL(ca).protocol !== "https:") throw new UsageError(`--ca must be an https:// URL, not '${ca}'.`);
  return {
    ca,
    trustBundle: value("trust-bundle"),
    token: value("token"),
    directory: value("directory"),
    health: parseAddress("health", value("health")),
    admin: parseAdmin(value("admin")),
    probes: probesOf(environment["WEFT_PROBES"]),
    podIp: environment["WEFT_POD_IP"] || "127.0.0.1",
    ordinary: ordinaryOf(environment),
    logger: createLogger("agent"),
  };
}

function parseFlags(args: readonly string[]): Readonly<Partial<Record<Flag, string>>> {
  const options = Object.fromEntries(Object.keys(flags).map((flag) => [flag, { type: "string" as const }]));
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values as Partial<Record<Flag, string>>;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseAdmin(text: string): string {
  return `http://${formatEndpoint(parseAddress("admin", text.replace(/^http:\/\//, "").replace(/\/$/, "")))}`;
}

function parseAddress(flag: Flag, text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) throw new UsageError(`--${flag} must be HOST:PORT, not '${text}'.`);
  return endpoint;
}

function probesOf(text: string | undefined): AgentOptions["probes"] {
  try {
    return parseProbes(text || "{}");
  } catch (error) {
    throw new UsageError(`WEFT_PROBES cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Injection sets WEFT_DRAIN_SECONDS where the sidecars are ordinary containers. */
function ordinaryOf({ WEFT_DRAIN_SECONDS: seconds, WEFT_ADAPTER: adapter }: NodeJS.ProcessEnv): AgentOptions["ordinary"] {
  if (seconds === undefined || seconds === "") return undefined;
  if (!/^[0-9]{1,4}$/.test(seconds)) throw new UsageError(`WEFT_DRAIN_SECONDS must be a whole number of seconds, not '${seconds}'.`);
  return { drainSeconds: Number(seconds), adapter: adapter || `http://127.0.0.1:${ports.prometheus}` };
}

function usage(): string {
  const lines = Object.entries(flags).map(([flag, { variable, help, fallback }]) => `  --${flag.padEnd(13)} ${help} (${variable}${fallback === undefined ? "" : `, else ${fallback}`})`);
  return [
    "Usage: weft agent [FLAGS]",
    "",
    ...lines,
    "",
    "Environment only, as injection writes it: WEFT_PROBES (the pod's own probes and hooks), WEFT_POD_IP, WEFT_DRAIN_SECONDS",
    "(the sidecars are ordinary containers: POST /quitquitquit at 127.0.0.1 ends all three), WEFT_ADAPTER.",
    "",
    `Example:\n  ${example}`,
    "",
  ].join("\n");
}
