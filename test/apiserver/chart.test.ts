import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { caBundleObject, webhookNames } from "../../webhook/ca-bundle.ts";
import { startApiServer, type TestApiServer } from "../support/apiserver.ts";
import { type KubernetesObject, objectName, renderChart } from "../support/helm.ts";

let server: TestApiServer;
let objects: KubernetesObject[];

/** Where the API serves what the chart contains. */
const resources: Readonly<Record<string, string>> = {
  ConfigMap: "configmaps",
  Lease: "leases",
  ServiceAccount: "serviceaccounts",
  Service: "services",
  Deployment: "deployments",
  PodDisruptionBudget: "poddisruptionbudgets",
  NetworkPolicy: "networkpolicies",
  Role: "roles",
  RoleBinding: "rolebindings",
  ClusterRole: "clusterroles",
  ClusterRoleBinding: "clusterrolebindings",
  MutatingWebhookConfiguration: "mutatingwebhookconfigurations",
  CustomResourceDefinition: "customresourcedefinitions",
};

function collectionOf(object: KubernetesObject): string {
  const prefix = object.apiVersion.includes("/") ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
  const namespace = object.metadata.namespace === undefined ? "" : `/namespaces/${object.metadata.namespace}`;
  return `${prefix}${namespace}/${resources[object.kind] ?? ""}`;
}

/** `create configmaps weft-trust-bundle in apps`, asked of the API server's own authorizer. */
async function may(component: string, question: string): Promise<boolean> {
  const [verb, target = "", name = "*", , namespace] = question.split(" ");
  const [path = "", group = ""] = target.split("@");
  const [resource, subresource] = path.split("/");
  const attributes = { verb, group, resource, subresource, namespace, name: name === "*" ? "" : name };
  const spec = { user: `system:serviceaccount:weft-system:weft-${component}`, groups: ["system:serviceaccounts", "system:authenticated"], resourceAttributes: attributes };
  const { body } = await server.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec });
  return (body as { status: { allowed: boolean } }).status.allowed;
}

beforeAll(async () => {
  objects = await renderChart("charts/weft", "--set", "networkPolicy.enabled=true");
  server = await startApiServer();
  await server.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "weft-system", labels: { "pod-security.kubernetes.io/enforce": "restricted" } } });
});

afterAll(() => server?.stop());

describe("the chart on a real API server", () => {
  it("is accepted whole, with strict field validation", async () => {
    const answers = await Promise.all(
      objects.map(async (object) => ({ name: objectName(object), ...(await server.call("POST", `${collectionOf(object)}?fieldValidation=Strict`, object)) })),
    );

    expect(answers.filter(({ status }) => status !== 201).map(({ name, status, body }) => [name, status, (body as { message?: string }).message])).toEqual([]);
  });

  it("lets the webhook write caBundle into each entry, and nothing else changes", async () => {
    const path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/weft";
    const authority = await readFile(server.caFile, "utf8");

    const { status, body } = await server.call("PATCH", `${path}?fieldManager=weft-webhook&force=true`, caBundleObject(authority, webhookNames));

    const service = { namespace: "weft-system", name: "weft-webhook", path: "/mutate", port: 443 };
    expect(status).toBe(200);
    expect(body).toMatchObject({
      webhooks: webhookNames.map((name) => ({ name, failurePolicy: "Fail", timeoutSeconds: 5, clientConfig: { service, caBundle: Buffer.from(authority).toString("base64") } })),
    });
  });

  it("runs at the Pod Security level restricted", async () => {
    const deployments = objects.filter((object) => object.kind === "Deployment") as (KubernetesObject & { spec: { template: { spec: object } } })[];

    const answers = await Promise.all(
      deployments.map(({ metadata: { name }, spec }) =>
        server.call("POST", "/api/v1/namespaces/weft-system/pods?dryRun=All", { apiVersion: "v1", kind: "Pod", metadata: { name }, spec: spec.template.spec }),
      ),
    );

    expect(answers.map(({ status, body }) => [status, (body as { message?: string }).message])).toEqual([
      [201, undefined],
      [201, undefined],
    ]);
  });

  it.each([
    ["webhook", "list namespaces"],
    ["webhook", "watch tlsconfigs@smi-spec.io"],
    ["webhook", "watch trafficsplits@split.smi-spec.io"],
    ["webhook", "patch mutatingwebhookconfigurations@admissionregistration.k8s.io weft"],
    ["webhook", "create secrets * in weft-system"],
    ["webhook", "update secrets weft-webhook-serving in weft-system"],
    ["controller", "watch pods"],
    ["controller", "watch endpointslices@discovery.k8s.io"],
    ["controller", "patch monitors/status@smi-spec.io"],
    ["controller", "create tokenreviews@authentication.k8s.io"],
    ["controller", "create configmaps weft-trust-bundle in apps"],
    ["controller", "patch configmaps weft-trust-bundle in apps"],
    ["controller", "get secrets weft-ca in weft-system"],
    ["controller", "update leases@coordination.k8s.io weft-controller in weft-system"],
    ["controller", "create events@events.k8s.io * in apps"],
    ["controller", "get clusterroles@rbac.authorization.k8s.io weft-controller"],
  ])("lets the %s %s", async (component, question) => {
    expect(await may(component, question)).toBe(true);
  });

  it.each([
    ["webhook", "get secrets weft-ca in weft-system"],
    ["webhook", "list secrets * in weft-system"],
    ["webhook", "get secrets weft-webhook-serving in apps"],
    ["webhook", "patch mutatingwebhookconfigurations@admissionregistration.k8s.io other"],
    ["webhook", "create mutatingwebhookconfigurations@admissionregistration.k8s.io"],
    ["webhook", "list pods"],
    ["webhook", "impersonate users admin"],
    ["controller", "get secrets weft-webhook-serving in weft-system"],
    ["controller", "list secrets"],
    ["controller", "create secrets * in apps"],
    ["controller", "create configmaps other in apps"],
    ["controller", "patch configmaps other in weft-system"],
    ["controller", "list configmaps"],
    ["controller", "create pods/exec * in apps"],
    ["controller", "create pods * in apps"],
    ["controller", "patch monitors@smi-spec.io * in apps"],
    ["controller", "list nodes"],
    ["controller", "create serviceaccounts/token default in apps"],
    ["controller", "patch clusterroles@rbac.authorization.k8s.io weft-controller"],
    ["controller", "get leases@coordination.k8s.io other in weft-system"],
  ])("does not let the %s %s", async (component, question) => {
    expect(await may(component, question)).toBe(false);
  });
});
