import { mkdir, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createDirectoryStore } from "../../../certs/ca/directory-store.ts";
import { openEmbeddedTokens } from "../../../certs/ca/embedded-tokens.ts";
import { startServingPki } from "../../../certs/serving/start.ts";
import { startWebhook } from "../../../webhook/start.ts";
import { startController, type Controller } from "../../controller/start.ts";
import { startFilesSource, type FilesSource } from "../../files/source.ts";
import { createLogger, type Logger } from "../../runtime/logger.ts";
import { formatEndpoint, type Endpoint } from "../../std/endpoint.ts";
import { controlPlanePorts } from "../../std/well-known.ts";
import { formatProblem } from "../../std/problem.ts";
import { createMembership } from "../files-membership.ts";
import { untilSignal } from "../until-signal.ts";
import { configFlag, endpointFlag, kubernetesVersionFlag } from "../flags.ts";
import { createProgram, exitCodes, Failure, parseArguments } from "../program.ts";

interface Flags {
  readonly resources: string;
  readonly state: string;
  readonly config?: string;
  readonly webhook: Endpoint;
  readonly xds: Endpoint;
  readonly ca: Endpoint;
  readonly metrics: Endpoint;
  readonly kubernetesVersion: string;
}

/** `weft run`: the whole control plane on files, until SIGINT or SIGTERM. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram("run", "Run the whole control plane on files, in one process, until Ctrl-C.", "weft run --resources mesh --state .weft")
    .requiredOption("--resources <dir>", "directory of YAML and JSON, watched")
    .option("--state <dir>", "where keys, the trust bundle and statuses are kept", ".weft")
    .addOption(configFlag())
    .addOption(endpointFlag("--webhook", "mutating webhook, HTTPS; port 0 = any free one", `127.0.0.1:${controlPlanePorts.webhook}`))
    .addOption(endpointFlag("--xds", "delta ADS, mutual TLS", `127.0.0.1:${controlPlanePorts.xds}`))
    .addOption(endpointFlag("--ca", "certificates, HTTPS", `127.0.0.1:${controlPlanePorts.ca}`))
    .addOption(endpointFlag("--metrics", "metrics server, HTTPS", `127.0.0.1:${controlPlanePorts.metricsServer}`))
    .addOption(kubernetesVersionFlag());
  const ended = parseArguments(program, args);
  if (ended !== undefined) return ended;
  const flags = program.opts<Flags>();
  const logger = createLogger("weft");
  const stops: (() => unknown)[] = [];
  const signal = untilSignal();
  try {
    await startAll(flags, logger, stops);
    await signal;
  } finally {
    for (const stop of stops.splice(0).reverse()) await stop();
  }
  return exitCodes.done;
}

/** Starts the parts one after the other; what has to be ended is put on `stops`, oldest first. */
async function startAll(flags: Flags, logger: Logger, stops: (() => unknown)[]): Promise<void> {
  const source = await startFilesSource({ directory: flags.resources, logger, ...(flags.config === undefined ? {} : { config: flags.config }) });
  stops.push(() => source.stop());
  const faults = source.configFaults();
  // There is no last good one yet, and the defaults may be less strict than what was meant.
  if (faults.length > 0) throw new Failure(`The mesh configuration ${flags.config ?? "weft.yaml"} cannot be used: ${faults.join("; ")}. Correct it.`);
  const listen = { webhook: flags.webhook, xds: flags.xds, ca: flags.ca, metrics: flags.metrics };
  const names = servingNames(Object.values(listen));
  await mkdir(flags.state, { recursive: true, mode: 0o700 });
  const controller = await openController({ flags, source, listen, names, logger });
  stops.push(() => controller.stop());
  tellProblems(controller, logger);
  const servingPki = await startServingPki(createDirectoryStore(join(flags.state, "webhook")), { dnsNames: names.dns, ips: names.ips, logger });
  stops.push(() => servingPki.stop());
  const webhook = await startWebhook({ source, config: () => source.meshConfig(), servingPki, listen: listen.webhook, logger, kubernetesVersion: flags.kubernetesVersion });
  stops.push(() => webhook.stop());
  await keepFile(join(flags.state, "webhook-ca.pem"), { read: () => servingPki.current().caBundle, onChange: (changed) => servingPki.onChange(changed), logger });
  tellAddresses({ webhook: `https://${formatEndpoint(webhook.address)}/mutate`, xds: controller.addresses.xds, ca: controller.addresses.ca, trust: resolve(flags.state, "trust-bundle.pem"), metrics: controller.addresses.metrics });
}

interface ControllerInput {
  readonly flags: Flags;
  readonly source: FilesSource;
  readonly listen: { readonly xds: Endpoint; readonly ca: Endpoint; readonly metrics: Endpoint };
  readonly names: { readonly dns: string[]; readonly ips: string[] };
  readonly logger: Logger;
}

async function openController({ flags, source, listen, names, logger }: ControllerInput): Promise<Controller> {
  const membership = createMembership(source, () => source.meshConfig());
  const tokens = await openEmbeddedTokens(createDirectoryStore(join(flags.state, "tokens")), Date.now);
  return startController({
    source,
    config: () => source.meshConfig(),
    isInjected: (pod) => membership(pod).inMesh,
    authorityStore: createDirectoryStore(join(flags.state, "ca")),
    authenticate: tokens.authenticate,
    listen,
    servingNames: names,
    logger,
    writeTrustBundle: (bundle) => writeFile(join(flags.state, "trust-bundle.pem"), bundle),
    writeStatus: (object, status) => writeStatus(flags.state, object, status),
  });
}

/** On files there is no API server to write a status to: it is left beside the keys. */
async function writeStatus(state: string, object: { readonly kind: string; readonly namespace: string; readonly name: string }, status: object): Promise<void> {
  const file = join(state, "status", object.kind, object.namespace, `${object.name}.json`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(status)}\n`);
}

interface Kept {
  readonly read: () => string;
  readonly onChange: (changed: () => void) => unknown;
  readonly logger: Logger;
}

async function keepFile(file: string, { read, onChange, logger }: Kept): Promise<void> {
  await writeFile(file, read());
  onChange(() => {
    writeFile(file, read()).catch((err: unknown) => logger.error({ err, file }, "file not written"));
  });
}

/** What clients may call it by: the addresses it listens on; for 0.0.0.0, all of this machine's. */
function servingNames(endpoints: readonly Endpoint[]): { dns: string[]; ips: string[] } {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address.split("%")[0] ?? ""));
  const hosts = endpoints.flatMap(({ host }) => (host === "0.0.0.0" || host === "::" ? own : [host]));
  const [ips, dns] = [hosts.filter((host) => isIP(host) !== 0), hosts.filter((host) => isIP(host) === 0)];
  return { dns: [...new Set(["localhost", hostname(), ...dns])], ips: [...new Set(["127.0.0.1", ...ips])] };
}

function tellAddresses(addresses: Readonly<Record<string, string>>): void {
  for (const [name, address] of Object.entries(addresses)) process.stdout.write(`${name.padEnd(8)} ${address}\n`);
}

/** Each Problem once, when it appears: of files, of objects, of what they mean to each other. */
function tellProblems(controller: Controller, logger: Logger): void {
  let told = new Set<string>();
  function tell(): void {
    const now = new Map(controller.problems().map((problem) => [formatProblem(problem), problem]));
    for (const [text, { severity }] of now) if (!told.has(text)) logger[severity === "error" ? "error" : "warn"]({ problem: text }, "problem");
    told = new Set(now.keys());
  }
  tell();
  controller.pipeline.onPublish(tell);
}
