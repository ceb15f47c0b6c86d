import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { median } from "../../std/median.ts";
import { anonymousMemory } from "./machine.ts";
import { measureAdmissions } from "./admissions.ts";
import { readMetrics } from "./metrics.ts";
import { waitFor } from "./program.ts";
import { applicationDocuments, asYaml, canary, demoPods, meshConfig, monitor, serviceAddresses, tlsConfig } from "./resources.ts";
import { formatCounts, type Telling } from "./telling.ts";
import type { Target, Tour } from "./tour.ts";

const foobar: Target = { url: "http://foobar/", at: serviceAddresses.foobar };

type Step = (tour: Tour, tell: Telling) => Promise<void>;

/** The chapters, in order; each ends the tour with a Failure when a fact is not as it should be. */
export const story: readonly Step[] = [resources, injection, pods, canaryAtZero, canaryAtOneThird, canaryDone, certificates, strictMode, metrics, cost];

async function resources(tour: Tour, tell: Telling): Promise<void> {
  tell.chapter("A control plane on files: webhook, config generator and CA in one process");
  await tour.apply("weft.yaml", [meshConfig()]);
  await tour.apply("application.yaml", applicationDocuments());
  await tour.apply("tls.yaml", [tlsConfig("permissive")]);
  await tour.apply("canary.yaml", [canary({ "foobar-v1": 1, "foobar-v2": "0m" })]);
  await tour.apply("monitor.yaml", [monitor({ team: "my-team", region: "us-east" })]);
  const started = performance.now();
  const { pid } = await tour.startControlPlane();
  tell.expect(true, `weft run --resources … (process ${pid}) answers after ${Math.round(performance.now() - started)} ms`);
  tell.say("In the directory: a namespace labelled weft.mesh/inject: enabled, Services, and three SMI resources:");
  tell.quote(asYaml([canary({ "foobar-v1": 1, "foobar-v2": "0m" })]));
}

async function injection(tour: Tour, tell: Telling): Promise<void> {
  tell.chapter("weft inject gives each pod what the resources ask for, and says why");
  const pod = await tour.inject("foobar-v1");
  const names = (pod.spec.initContainers ?? []).map((container) => container.name);
  tell.expect(names.join(" ") === "weft-init weft-agent weft-adapter weft-proxy", `pod foobar-v1 (TLSConfig, Monitor, Canary): ${names.join(" → ")} → app`);
  const client = ((await tour.inject("web")).spec.initContainers ?? []).map((container) => container.name);
  tell.expect(!client.includes("weft-adapter") && client.includes("weft-proxy"), `pod web (a client of the Canary): ${client.join(" → ")} → app`);
  const stranger = await tour.inject("stranger");
  tell.expect(stranger.spec.initContainers === undefined, "pod stranger has weft.mesh/inject: disabled and comes out as it went in");
}

async function pods(tour: Tour, tell: Telling): Promise<void> {
  tell.chapter("The injected pods run: one network namespace each, containers as processes, in the kubelet's order");
  const starts = demoPods.map(async (name) => {
    const started = performance.now();
    await tour.run(name, await tour.inject(name));
    tell.expect(true, `${name} is ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  });
  await Promise.allSettled(starts);
  await Promise.all(starts);
}

async function canaryAtZero(tour: Tour, tell: Telling): Promise<void> {
  tell.chapter("Canary at 0: web calls http://foobar/, and all of it goes to v1");
  const counts = await tour.call("web", foobar, 200);
  tell.quote(formatCounts(counts));
  tell.expect(counts["foobar-v1"] === 200, "200 of 200 requests answered by foobar-v1");
  const spot = await tour.call("web", { url: "http://foobar-v2/", at: serviceAddresses["foobar-v2"] }, 1);
  tell.expect(spot["foobar-v2"] === 1, "a spot check of Service foobar-v2 reaches v2 all the same");
}

async function canaryAtOneThird(tour: Tour, tell: Telling): Promise<void> {
  tell.chapter("weight: 500m for v2 beside 1 for v1: weights are relative, so one third");
  await tour.apply("canary.yaml", [canary({ "foobar-v1": 1, "foobar-v2": "500m" })]);
  await waitFor("the new weights", 10, async () => ((await tour.call("web", foobar, 30))["foobar-v2"] === undefined ? undefined : true));
  const counts = await tour.call("web", foobar, 600);
  tell.quote(formatCounts(counts));
  const share = (counts["foobar-v2"] ?? 0) / 600;
  tell.expect((counts["foobar-v1"] ?? 0) + (counts["foobar-v2"] ?? 0) === 600, "no request failed, no pod restarted");
  tell.expect(share > 0.25 && share < 0.42, `v2 answered ${(share * 100).toFixed(1)} % of 600`);
}

async function canaryDone(tour: Tour, tell: Telling): Promise<void> {
  tell.chapter("Only v2 is left in the Canary: all traffic moves");
  await tour.apply("canary.yaml", [canary({ "foobar-v2": 1 })]);
  await waitFor("all traffic on v2", 10, async () => ((await tour.call("web", foobar, 20))["foobar-v2"] === 20 ? true : undefined));
  const counts = await tour.call("web", foobar, 200);
  tell.quote(formatCounts(counts));
  tell.expect(counts["foobar-v2"] === 200, "200 of 200 requests answered by foobar-v2");
}

async function certificates(tour: Tour, tell: Telling): Promise<void> {
  tell.chapter("Each pod holds a certificate of its own; the key never left it");
  const file = join(tour.pod("foobar-v1").volume("weft-run"), "certs/current/tls.crt");
  const certificate = new X509Certificate(await readFile(file));
  const names = certificate.subjectAltName ?? "";
  tell.quote([`names    ${names}`, `issuer   ${certificate.issuer.replaceAll("\n", ", ")}`, `valid    ${certificate.validFrom} – ${certificate.validTo}`, `serial   ${certificate.serialNumber}`].join("\n"));
  tell.expect(names.includes("URI:spiffe://weft.local/ns/demo/sa/foobar"), "the identity is the pod's service account, attested by its token");
  tell.expect(names.includes("DNS:shop.example.com"), "and the subject names of the TLSConfig");
}

async function strictMode(tour: Tour, tell: Telling): Promise<void> {
  tell.chapter("TLSConfig mode: strict: plaintext is refused, the mesh goes on");
  const direct: Target = { url: "http://foobar-v1:8080/", at: tour.pod("foobar-v1").address };
  const before = await tour.call("stranger", direct, 5);
  tell.expect(before["foobar-v1"] === 5, "permissive: stranger, outside the mesh, is answered in plaintext");
  await tour.apply("tls.yaml", [tlsConfig("strict")]);
  const refused = await waitFor("plaintext to be refused", 10, async () => {
    const counts = await tour.call("stranger", direct, 5);
    return counts["foobar-v1"] === undefined ? counts : undefined;
  });
  tell.expect(true, `strict: stranger is refused (${Object.keys(refused).join(", ")})`);
  const mesh = await tour.call("web", foobar, 100);
  tell.expect(mesh["foobar-v2"] === 100, "web, in the mesh, is answered 100 of 100 times over mutual TLS");
}

async function metrics(tour: Tour, tell: Telling): Promise<void> {
  tell.chapter("Monitor: status codes, rate and latency at the address in its status, with live labels");
  const series = await waitFor("requests in the metrics", 15, async () => {
    const found = (await readMetrics(tour, "demo/my-monitor")).filter((line) => line.startsWith("weft_requests_total{") && line.includes('team="my-team"'));
    return found.some((line) => line.includes("inbound")) ? found : undefined;
  });
  tell.quote(series.slice(0, 6).join("\n"));
  tell.expect(series.every((line) => line.includes('region="us-east"')), "every stream carries the metricLabels of the Monitor");
  await tour.apply("monitor.yaml", [monitor({ team: "night-shift" })]);
  const relabelled = await waitFor("the new labels", 15, async () => {
    const found = (await readMetrics(tour, "demo/my-monitor")).filter((line) => line.startsWith("weft_requests_total{"));
    return found.length > 0 && found.every((line) => line.includes('team="night-shift"')) ? found : undefined;
  });
  tell.quote(relabelled.slice(0, 2).join("\n"));
  tell.expect(!relabelled.some((line) => line.includes("us-east")), "changed in the Monitor, changed in the metrics: nothing restarted");
}

async function cost(tour: Tour, tell: Telling): Promise<void> {
  tell.chapter("What it costs");
  const admission = await measureAdmissions(tour, 400);
  tell.say(`admission    ${admission.core.toFixed(0)} µs from bytes to bytes, ${admission.https.toFixed(0)} µs over HTTPS (medians)`);
  const acknowledged = (await tour.controlPlane.log()).filter((line) => line.msg === "configuration acknowledged by all proxies");
  const times = acknowledged.map((line) => Number(line["milliseconds"]));
  tell.expect(times.length > 0, `config       ${median(times).toFixed(0)} ms from change to all proxies acknowledged (median of ${times.length})`);
  for (const [title, container] of [["agent", "weft-agent"], ["adapter", "weft-adapter"], ["Envoy", "weft-proxy"]] as const) {
    const bytes = await anonymousMemory(tour.pod("foobar-v1").pid(container));
    tell.say(`${title.padEnd(12)} ${(bytes / 1e6).toFixed(1)} MB anonymous memory`);
  }
}

