/** Reviews of the sizes that reference figures are given for, and the resources of a mesh. */
import type { MeshObject } from "../../src/api/objects.ts";
import { parseObject } from "../../src/api/parse.ts";

/** A pod with `environment` variables in each of `containers` containers, as a Deployment's controller creates it. */
export function podOf(containers: number, environment: number): object {
  const names = Array.from({ length: containers }, (_, index) => `container-${index}`);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { generateName: "web-7bf589ffd5-", namespace: "namespace-7", labels: { app: "web", version: "v1", "pod-template-hash": "7bf589ffd5" } },
    spec: {
      serviceAccountName: "web",
      containers: names.map((name, index) => ({
        name,
        image: `registry.example.com/team/${name}:1.2.3`,
        ports: [{ name: `http-${index}`, containerPort: 8080 + index, protocol: "TCP" }],
        env: Array.from({ length: environment }, (_, variable) => ({ name: `VARIABLE_${variable}`, value: `a value of some length ${variable}` })),
        resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "1", memory: "512Mi" } },
        readinessProbe: { httpGet: { path: "/ready", port: `http-${index}`, scheme: "HTTP" }, periodSeconds: 10, timeoutSeconds: 1 },
        volumeMounts: [{ name: "kube-api-access", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true }],
        terminationMessagePath: "/dev/termination-log",
        imagePullPolicy: "IfNotPresent",
      })),
      volumes: [{ name: "kube-api-access", projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: "token" } }], defaultMode: 420 } }],
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      schedulerName: "default-scheduler",
      tolerations: ["not-ready", "unreachable"].map((key) => ({ key: `node.kubernetes.io/${key}`, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 })),
    },
  };
}

/** A review as the API server sends it: the pod, and who creates it; about `bytes` of managed fields make up the rest. */
export function reviewOf(pod: object): string {
  const request = {
    uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
    kind: { group: "", version: "v1", kind: "Pod" },
    resource: { group: "", version: "v1", resource: "pods" },
    namespace: "namespace-7",
    operation: "CREATE",
    userInfo: { username: "system:serviceaccount:kube-system:replicaset-controller", groups: ["system:serviceaccounts", "system:authenticated"] },
    object: pod,
    oldObject: null,
    dryRun: false,
    options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
  };
  return JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", request });
}

/** `count` resources over `namespaces` namespaces, each with a TLSConfig that selects the pod of {@link podOf}. */
export function meshObjects(count: number, namespaces: number): MeshObject[] {
  const raw = Array.from({ length: namespaces }, (_, index) => [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: `namespace-${index}`, labels: { "weft.mesh/inject": "enabled" } } },
    ...Array.from({ length: count / namespaces }, (_unused, resource) => ({
      apiVersion: "smi-spec.io/v1beta1",
      kind: "TLSConfig",
      metadata: { name: `tls-${resource}`, namespace: `namespace-${index}` },
      spec: { subjectNames: [`web-${resource}.example.com`], selector: { matchLabels: { app: resource === 0 ? "web" : `other-${resource}` } } },
    })),
  ]).flat();
  return raw.map((object) => {
    const parsed = parseObject(object);
    if (parsed.kind !== "object") throw new Error(JSON.stringify(parsed));
    return parsed.object;
  });
}
