import { startServingPki, type ServingPkiHandle } from "../../../certs/serving/start.ts";
import { configurationName, fieldManager, keepCaBundle, webhookNames } from "../../../webhook/ca-bundle.ts";
import { startWebhook } from "../../../webhook/start.ts";
import { applyObject } from "../../k8s/apply.ts";
import { secretKeyStore } from "../../k8s/authority-secret.ts";
import { createKubeClient, type KubeClient } from "../../k8s/client.ts";
import { startK8sSource } from "../../k8s/source.ts";
import { createLogger, type Logger } from "../../runtime/logger.ts";
import type { Endpoint } from "../../std/endpoint.ts";
import { controlPlanePorts } from "../../std/well-known.ts";
import { findOwner } from "../cluster-owner.ts";
import { endpointFlag } from "../flags.ts";
import { followConfig } from "../follow-config.ts";
import { createProgram, exitCodes, parseArguments } from "../program.ts";
import { untilSignal } from "../until-signal.ts";

interface Flags {
  readonly config?: string;
  readonly listen: Endpoint;
  readonly telemetry: Endpoint;
  readonly serviceName: string;
  readonly namespace: string;
}

/** What a decision depends on; nothing else is watched. */
const kinds = ["Namespace", "TLSConfig", "Canary", "Monitor", "TrafficSplit"] as const;
/** A namespace and its first pod in one command: the watch may be this far behind. Far below the webhook's 5 s timeout. */
const namespaceWait = 1000;
/** How long other components may go on calling a replica that said it is no longer ready. */
const drain = 3000;

/** `weft webhook`: the process of the cluster, until SIGTERM. The certificate is its own, in the Secret weft-webhook-serving. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram("webhook", "The mutating admission webhook, in a cluster.", "weft webhook --config /etc/weft/weft.yaml --namespace weft-system")
    .option("--config <file>", "mesh configuration")
    .addOption(endpointFlag("--listen", "HTTPS, for the API server", `0.0.0.0:${controlPlanePorts.webhook}`))
    .addOption(endpointFlag("--telemetry", "Prometheus, plain HTTP", `0.0.0.0:${controlPlanePorts.telemetry}`))
    .option("--service-name <name>", "the Service in front of it", "weft-webhook")
    .option("--namespace <name>", "the control plane's own", "weft-system");
  const exit = parseArguments(program, args);
  if (exit !== undefined) return exit;
  const stops: Stop[] = [];
  try {
    await start(program.opts<Flags>(), createLogger("webhook"), stops);
    await untilSignal();
  } finally {
    for (const stop of stops.splice(0).reverse()) await stop();
  }
  return exitCodes.done;
}

type Stop = () => Promise<void> | void;

/** What has to be ended goes to `stops`, oldest first: a watch that goes on would keep the process alive without a server. */
async function start(flags: Flags, logger: Logger, stops: Stop[]): Promise<void> {
  const { listen, telemetry } = flags;
  const config = await followConfig(flags.config, logger);
  stops.push(() => config.stop());
  const client = createKubeClient();
  const kubernetesVersion = await readVersion(client);
  const servingPki = await openServingPki({ client, flags, clusterDomain: config.current().clusterDomain, logger });
  stops.push(() => servingPki.stop());
  const source = startK8sSource({ client, kinds, logger });
  stops.push(() => source.stop());
  const webhook = await startWebhook({ source, config: () => config.current(), servingPki, listen, telemetry, logger, kubernetesVersion, namespaceWait, drain });
  stops.push(() => webhook.stop());
  const keeper = keepCaBundle({ certificates: servingPki, apply: (object) => applyConfiguration(client, object), webhooks: webhookNames, logger });
  stops.push(() => keeper.stop());
}

interface ServingInput {
  readonly client: KubeClient;
  readonly flags: Flags;
  readonly clusterDomain: string;
  readonly logger: Logger;
}

async function openServingPki({ client, flags, clusterDomain, logger }: ServingInput): Promise<ServingPkiHandle> {
  const { namespace, serviceName } = flags;
  const owner = await findOwner(client);
  const store = secretKeyStore({ client, namespace, name: "weft-webhook-serving", ...(owner === undefined ? {} : { owner }) });
  const dnsNames = [`${serviceName}.${namespace}.svc`, `${serviceName}.${namespace}`, `${serviceName}.${namespace}.svc.${clusterDomain}`];
  return startServingPki(store, { dnsNames, ips: [], logger });
}

async function readVersion(client: KubeClient): Promise<string> {
  const version = (await client.request({ method: "GET", path: "/version" })) as { readonly gitVersion?: string };
  return version.gitVersion ?? "";
}

async function applyConfiguration(client: KubeClient, object: object): Promise<unknown> {
  const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${configurationName}`;
  return applyObject({ client, path, object, fieldManager });
}
