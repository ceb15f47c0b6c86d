/** The steps between installation and removal, in order. */
import { X509Certificate } from "node:crypto";
import { formatCounts, type Telling } from "../../src/cli/demo/telling.ts";
import { apply, eventually, getJson, kubectl } from "./kubectl.ts";
import { applyShop, call, canary, deployment, monitor, namespace, outside, roll, service, shop, tlsConfig, web } from "./shop.ts";

type Step = (tell: Telling) => Promise<void>;

export const story: readonly Step[] = [notOptedIn, optedIn, canaryWorkflow, strictMode, monitoring, podRestart, renewal, canaryEnd];

interface PodList {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> }; readonly spec: { readonly initContainers?: readonly { readonly name: string }[] } }[];
}

async function sidecars(labels: string, where = shop): Promise<string[]> {
  const pods = await getJson<PodList>("pods", "-n", where, "-l", labels, "--field-selector=status.phase=Running");
  return (pods.items[0]?.spec.initContainers ?? []).map((container) => container.name);
}

async function notOptedIn(tell: Telling): Promise<void> {
  tell.chapter("A namespace that did not opt in is left alone");
  await apply(namespace(outside), deployment("stranger", { app: "stranger" }, outside));
  await roll("stranger", outside);
  tell.expect((await sidecars("app=stranger", outside)).length === 0, "pod stranger has no sidecar");
}

async function optedIn(tell: Telling): Promise<void> {
  tell.chapter("Label the namespace, apply a TLSConfig and a Canary: its pods are injected");
  await apply(namespace(shop, { "weft.mesh/inject": "enabled" }));
  await eventually("the CRDs to be served", 30, () => apply(tlsConfig("permissive"), canary({ "foobar-v1": 1, "foobar-v2": "0m" }), monitor({ team: "my-team", region: "us-east" })));
  await applyShop();
  await roll("foobar-v1");
  await roll("web");
  const foobar = await sidecars("app=foobar");
  tell.expect(foobar.join(" ") === "weft-init weft-agent weft-adapter weft-proxy", `foobar-v1: ${foobar.join(" → ")} → app`);
  const client = await sidecars("app=web");
  tell.expect(client.join(" ") === "weft-init weft-agent weft-proxy", `web, a client of the Canary: ${client.join(" → ")} → app`);
}

async function canaryWorkflow(tell: Telling): Promise<void> {
  tell.chapter("The Canary's workflow: 0, one third, all");
  await apply(service("foobar-v2", { app: "foobar", version: "v2" }), deployment("foobar-v2", { app: "foobar", version: "v2" }));
  await roll("foobar-v2");
  const before = await call(web, "http://foobar/", 100);
  tell.quote(formatCounts(before));
  tell.expect(before["foobar-v1"] === 100, "weight 0m: no request goes to v2, although it is an endpoint of the root Service");
  const spot = await eventually("the spot check", 20, async () => ((await call(web, "http://foobar-v2/", 1))["foobar-v2"] === 1 ? true : undefined));
  tell.expect(spot, "a spot check of Service foobar-v2 reaches v2");
  await apply(canary({ "foobar-v1": 1, "foobar-v2": "500m" }));
  await eventually("the new weights", 20, async () => ((await call(web, "http://foobar/", 30))["foobar-v2"] === undefined ? undefined : true));
  const third = await call(web, `http://foobar.${shop}.svc.cluster.local/`, 600);
  tell.quote(formatCounts(third));
  const share = (third["foobar-v2"] ?? 0) / 600;
  tell.expect((third["foobar-v1"] ?? 0) + (third["foobar-v2"] ?? 0) === 600 && share > 0.25 && share < 0.42, `1 : 500m gives v2 ${(share * 100).toFixed(1)} %, no request failed`);
  await apply(canary({ "foobar-v2": 1 }));
  await eventually("all traffic on v2", 20, async () => ((await call(web, "http://foobar/", 20))["foobar-v2"] === 20 ? true : undefined));
  const all = await call(web, "http://foobar/", 200);
  tell.expect(all["foobar-v2"] === 200, "only v2 in the Canary: 200 of 200 requests to v2");
}

async function strictMode(tell: Telling): Promise<void> {
  tell.chapter("mode: strict refuses plaintext");
  const stranger = { deployment: "stranger", namespace: outside };
  const url = `http://foobar-v2.${shop}/`;
  tell.expect((await call(stranger, url, 5))["foobar-v2"] === 5, "permissive: stranger is answered in plaintext");
  await apply(tlsConfig("strict"));
  const refused = await eventually("plaintext to be refused", 20, async () => {
    const counts = await call(stranger, url, 5);
    return counts["foobar-v2"] === undefined ? counts : undefined;
  });
  tell.expect(true, `strict: stranger is refused (${Object.keys(refused).join(", ")})`);
  tell.expect((await call(web, "http://foobar/", 100))["foobar-v2"] === 100, "web is answered 100 of 100 times over mutual TLS");
  await roll("foobar-v2");
  tell.expect(true, "the rewritten probes keep foobar-v2 ready");
}

async function scrape(url: string): Promise<string[]> {
  const roots = await kubectl("-n", shop, "get", "configmap", "weft-trust-bundle", "-o", "jsonpath={.data.trust-bundle\\.pem}");
  const script = 'const [url, ca] = process.argv.slice(1); require("node:https").get(url, { ca: Buffer.from(ca, "base64") }, (r) => r.pipe(process.stdout))';
  const text = await kubectl("-n", shop, "exec", "deployment/web", "-c", "app", "--", "node", "-e", script, url, Buffer.from(roots).toString("base64"));
  return text.split("\n").filter((line) => line.startsWith("weft_requests_total{"));
}

async function monitoring(tell: Telling): Promise<void> {
  tell.chapter("The Monitor's metrics at the address in its status");
  const url = await eventually("status.metricsServer", 20, async () => (await kubectl("-n", shop, "get", "monitor.smi-spec.io", "my-monitor", "-o", "jsonpath={.status.metricsServer}")) || undefined);
  tell.expect(url.startsWith("https://"), `status.metricsServer: ${url}`);
  const series = await eventually("requests in the metrics", 30, async () => {
    const found = await scrape(url);
    return found.some((line) => line.includes("inbound")) ? found : undefined;
  });
  tell.quote(series.slice(0, 3).join("\n"));
  tell.expect(series.every((line) => line.includes('team="my-team"') && line.includes('region="us-east"')), "every stream carries the metricLabels");
  await apply(monitor({ team: "night-shift" }));
  await eventually("the new labels", 30, async () => {
    const found = await scrape(url);
    return found.length > 0 && found.every((line) => line.includes('team="night-shift"') && !line.includes("region=")) ? true : undefined;
  });
  tell.expect(true, "changed live, without a restart");
}

/** Calls foobar again and again while `work` goes on; how often each answer came. */
async function callWhile(work: () => Promise<void>): Promise<Record<string, number>> {
  let working = true;
  const done = work().finally(() => (working = false));
  const total: Record<string, number> = {};
  while (working) {
    for (const [answer, count] of Object.entries(await call(web, "http://foobar/", 100))) total[answer] = (total[answer] ?? 0) + count;
  }
  await done;
  return total;
}

async function podRestart(tell: Telling): Promise<void> {
  tell.chapter("A pod is deleted and comes back");
  await kubectl("-n", shop, "scale", "deployment/foobar-v2", "--replicas=2");
  await roll("foobar-v2");
  const first = (await getJson<PodList>("pods", "-n", shop, "-l", "version=v2")).items[0]?.metadata.name ?? "";
  const counts = await callWhile(async () => {
    await kubectl("-n", shop, "delete", "pod", first, "--timeout=60s");
    await roll("foobar-v2");
  });
  tell.quote(formatCounts(counts));
  tell.expect(Object.keys(counts).join() === "foobar-v2", `pod ${first} was deleted and replaced; every request meanwhile was answered`);
  const after = await call(web, "http://foobar/", 100);
  tell.expect(after["foobar-v2"] === 100, "100 of 100 after it");
}

async function certificateOf(deploymentName: string): Promise<X509Certificate> {
  const script = 'process.stdout.write(require("node:fs").readFileSync("/var/run/weft/certs/current/tls.crt"))';
  return new X509Certificate(await kubectl("-n", shop, "exec", `deployment/${deploymentName}`, "-c", "weft-agent", "--", "node", "-e", script));
}

async function renewal(tell: Telling): Promise<void> {
  tell.chapter("Certificates are renewed while requests pass");
  const before = await certificateOf("web");
  tell.say(`web: ${before.subjectAltName ?? ""}, until ${before.validTo}`);
  let after = before;
  const counts = await callWhile(async () => {
    after = await eventually("a new certificate", 120, async () => {
      const now = await certificateOf("web");
      return now.serialNumber === before.serialNumber ? undefined : now;
    });
  });
  tell.expect(after.validToDate > before.validToDate, `web: a new certificate, until ${after.validTo}`);
  tell.quote(formatCounts(counts));
  tell.expect(Object.keys(counts).join() === "foobar-v2", "every request meanwhile was answered");
  tell.expect((await call(web, "http://foobar/", 100))["foobar-v2"] === 100, "100 of 100 requests answered with it");
}

async function canaryEnd(tell: Telling): Promise<void> {
  tell.chapter("The end of the workflow: v1, its Service and the Canary are deleted");
  await kubectl("-n", shop, "delete", "deployment/foobar-v1", "service/foobar-v1", "canary.smi-spec.io/foobar-rollout");
  await eventually("the root Service alone", 20, async () => ((await call(web, "http://foobar/", 20))["foobar-v2"] === 20 ? true : undefined));
  tell.expect((await call(web, "http://foobar/", 100))["foobar-v2"] === 100, "the root Service answers from v2, as any Service");
}
