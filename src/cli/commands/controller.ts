import { hostname } from "node:os";
import { startController, type Controller } from "../../controller/start.ts";
import { startMonitorStatus } from "../../controller/status.ts";
import { startTelemetry } from "../../controller/telemetry.ts";
import { startTrustBundles } from "../../controller/trust-bundles.ts";
import type { OwnerReference } from "../../api/kubernetes.ts";
import type { MeshConfig } from "../../api/mesh-config.ts";
import type { WatchedConfig } from "../../files/config-file.ts";
import type { Endpoint } from "../../std/endpoint.ts";
import type { ObjectRef } from "../../std/problem.ts";
import { controlPlanePorts } from "../../std/well-known.ts";
import type { ObjectSource } from "../../api/objects.ts";
import { applyObject } from "../../k8s/apply.ts";
import { secretKeyStore } from "../../k8s/authority-secret.ts";
import { createKubeClient, type KubeClient } from "../../k8s/client.ts";
import { startLeaderElection } from "../../k8s/lease.ts";
import { resources, startK8sSource } from "../../k8s/source.ts";
import { writeStatus } from "../../k8s/status.ts";
import { reviewToken } from "../../k8s/token-review.ts";
import { createLogger, type Logger } from "../../runtime/logger.ts";
import { findOwner } from "../cluster-owner.ts";
import { endpointFlag } from "../flags.ts";
import { followConfig, withConfig } from "../follow-config.ts";
import { createProgram, exitCodes, Failure, parseArguments } from "../program.ts";
import { untilSignal } from "../until-signal.ts";

interface Flags {
  readonly config?: string;
  readonly namespace: string;
  readonly xds: Endpoint;
  readonly ca: Endpoint;
  readonly metrics: Endpoint;
  readonly telemetry: Endpoint;
}

/** `weft controller`: the process of the chart, in a cluster, until SIGINT or SIGTERM. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram("controller", "The config generator, the CA and the metrics server, in a cluster.", "weft controller --config /etc/weft/weft.yaml --namespace weft-system")
    .option("--config <file>", "mesh configuration")
    .option("--namespace <name>", "where the Secret weft-ca and the Lease weft-controller are", "weft-system")
    .addOption(endpointFlag("--xds", "delta ADS, mutual TLS", `0.0.0.0:${controlPlanePorts.xds}`))
    .addOption(endpointFlag("--ca", "certificates, HTTPS", `0.0.0.0:${controlPlanePorts.ca}`))
    .addOption(endpointFlag("--metrics", "metrics server, HTTPS", `0.0.0.0:${controlPlanePorts.metricsServer}`))
    .addOption(endpointFlag("--telemetry", "health and own metrics, plain HTTP", `0.0.0.0:${controlPlanePorts.telemetry}`));
  const ended = parseArguments(program, args);
  if (ended !== undefined) return ended;
  const flags = program.opts<Flags>();
  const logger = createLogger("weft-controller");
  const config = await followConfig(flags.config, logger);
  const stops: (() => Promise<void>)[] = [() => config.stop()];
  const signal = untilSignal();
  try {
    await startAll({ flags, config, logger, stops });
    await signal;
  } finally {
    for (const stop of stops.splice(0).reverse()) await stop();
  }
  return exitCodes.done;
}

interface Start {
  readonly flags: Flags;
  readonly config: WatchedConfig;
  readonly logger: Logger;
  /** What has to be ended, oldest first. */
  readonly stops: (() => Promise<void>)[];
}

async function startAll({ flags, config, logger, stops }: Start): Promise<void> {
  const client = createKubeClient();
  const source = withConfig(startK8sSource({ client, logger }), config);
  stops.push(() => source.stop());
  let controller: Controller | undefined;
  const telemetry = await startTelemetry({
    listen: flags.telemetry,
    obstacle: () => (controller === undefined ? (source.trouble() ?? "The objects of the mesh are not read yet.") : undefined),
    metrics: () => controller?.metrics.registry,
  });
  stops.push(() => telemetry.stop());
  const owner = await findOwner(client);
  if (owner === undefined) throw new Failure("There is no ClusterRole weft-controller, which the chart brings: install charts/weft.");
  const started = await openController({ flags, config, logger, client, source, owner });
  controller = started;
  stops.push(() => started.stop());
  logger.info({ ...started.addresses }, "serving");
  const election = startLeaderElection({
    client,
    namespace: flags.namespace,
    name: "weft-controller",
    identity: process.env["POD_NAME"] ?? hostname(),
    logger,
    onLeading: (term) => lead(term, { client, source, owner, config, controller: started, logger }),
  });
  stops.push(() => election.stop());
}

interface Cluster {
  readonly client: KubeClient;
  readonly source: ObjectSource;
  readonly config: WatchedConfig;
  readonly owner: OwnerReference;
  readonly logger: Logger;
}

function openController({ flags, config, logger, client, source, owner }: Cluster & { readonly flags: Flags }): Promise<Controller> {
  return startController({
    source,
    config: () => config.current(),
    authorityStore: secretKeyStore({ client, namespace: flags.namespace, name: "weft-ca", owner }),
    authenticate: async (token, { audience }) => {
      const reviewed = await reviewToken(client, token, audience);
      if (reviewed.authenticated) return { namespace: reviewed.namespace, serviceAccount: reviewed.serviceAccount, pod: reviewed.podName, podUid: reviewed.podUid };
      logger.warn({ reason: reviewed.reason }, "token refused");
      return undefined;
    },
    listen: { xds: flags.xds, ca: flags.ca, metrics: flags.metrics },
    servingNames: { dns: servingNames(flags.namespace, config.current()), ips: ["127.0.0.1"] },
    logger,
  });
}

/** By what pods may call the controller: its Service, in all its spellings, and what the configuration says. */
function servingNames(namespace: string, { clusterDomain, controlPlane }: MeshConfig): readonly string[] {
  const service = `weft-controller.${namespace}`;
  const configured = [controlPlane.xds.replace(/:[0-9]+$/, ""), new URL(controlPlane.ca).hostname, new URL(controlPlane.metrics).hostname];
  return [...new Set(["localhost", "weft-controller", service, `${service}.svc`, `${service}.svc.${clusterDomain}`, ...configured])].filter((name) => /[a-z]/i.test(name) && !name.includes(":"));
}

interface Leading extends Cluster {
  readonly controller: Controller;
}

/** What only one replica does, as long as it leads. */
function lead(term: AbortSignal, { client, source, owner, config, controller, logger }: Leading): void {
  const ends = [
    startTrustBundles({
      source,
      owner,
      bundle: controller.trustBundle,
      apply: (path, object) => applyObject({ client, path, object, fieldManager: "weft-trust-bundle", signal: term }),
      logger,
    }),
    startMonitorStatus({
      pipeline: controller.pipeline,
      source,
      metricsServer: () => config.current().controlPlane.metrics,
      writeStatus: (object, status) => writeStatus({ client, path: pathOf(object), status, signal: term }),
      logger,
    }),
  ];
  term.addEventListener("abort", () => {
    for (const end of ends) void end();
  });
}

function pathOf({ kind, namespace, name }: ObjectRef): string {
  if (kind !== "Monitor") throw new Failure(`${kind} has no status that weft writes.`);
  const { path } = resources.Monitor;
  return `${path.replace(/\/[^/]+$/, "")}/namespaces/${namespace}/monitors/${name}`;
}
