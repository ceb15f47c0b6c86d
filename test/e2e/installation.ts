/** Chart in, chart out. */
import { existsSync } from "node:fs";
import type { Telling } from "../../src/cli/demo/telling.ts";
import { findTool } from "../../src/runtime/tools.ts";
import type { Cluster } from "./cluster.ts";
import { eventually, kubectl, run } from "./kubectl.ts";
import { outside, shop } from "./shop.ts";

const release = "weft";
const home = "weft-system";

/** A short lifetime, so that renewal happens while the test runs. */
const lifetime = "90s";

export async function install(cluster: Cluster, tell: Telling): Promise<void> {
  tell.chapter("helm install");
  if (process.env["WEFT_IMAGE"] === undefined) {
    const archive = "build/weft-image.tar";
    if (!existsSync(archive)) throw new Error(`${archive} is missing: run make images`);
    tell.say("loading the image");
    cluster.loadImage(archive);
  }
  const helm = await findTool("helm");
  const settings = ["--set", "crds.keep=false", "--set", `mesh.certificates.ttl=${lifetime}`];
  await run(helm, ["install", release, "charts/weft", "--namespace", home, "--create-namespace", "--wait", "--timeout", "3m", ...settings]);
  tell.expect(true, "the chart is installed, webhook and controller are ready");
  await eventually("the CA bundle of the webhook", 30, async () => ((await caBundle()) === "" ? undefined : true));
  tell.expect(true, "the webhook has put its CA bundle into its configuration");
}

function caBundle(): Promise<string> {
  return kubectl("get", "mutatingwebhookconfiguration", "weft", "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}");
}

export async function uninstall(tell: Telling): Promise<void> {
  tell.chapter("helm uninstall, and nothing is left");
  await kubectl("delete", "namespace", shop, outside, "--timeout=120s");
  const helm = await findTool("helm");
  await run(helm, ["uninstall", release, "--namespace", home, "--wait", "--timeout", "2m"]);
  const left = await eventually("everything of weft to be gone", 90, async () => {
    const found = await remains();
    return found.length === 0 ? "nothing" : Promise.reject(new Error(found.join(", ")));
  });
  tell.expect(left === "nothing", "no webhook configuration, CRD, role, Secret, ConfigMap or Lease of weft is left");
  await kubectl("delete", "namespace", home, "--timeout=120s");
}

/** Every object in the cluster whose name says that it is ours. */
async function remains(): Promise<string[]> {
  const kinds = "mutatingwebhookconfigurations,validatingwebhookconfigurations,customresourcedefinitions,clusterroles,clusterrolebindings,roles,rolebindings,configmaps,secrets,leases,services,serviceaccounts,deployments,pods,poddisruptionbudgets";
  const names = (await kubectl("get", kinds, "-A", "-o", "name")).split("\n");
  return names.filter((name) => /\/(weft|.*smi-spec\.io$|sh\.helm\.release\.v1\.weft)/.test(name));
}

/** Takes away what a run that failed left. */
export async function cleanUp(): Promise<void> {
  const helm = await findTool("helm");
  await run(helm, ["uninstall", release, "--namespace", home, "--ignore-not-found", "--wait", "--timeout", "1m"]).catch(() => "");
  await kubectl("delete", "namespace", shop, outside, home, "--ignore-not-found", "--timeout=120s");
}
