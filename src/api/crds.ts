import { MonitorSpec, MonitorStatus } from "./smi/monitor.ts";
import { CanarySpec, TrafficSplitSpec } from "./smi/split.ts";
import { TlsConfigSpec } from "./smi/tls-config.ts";
import { toStructuralSchema, type StructuralSchema } from "./structural-schema.ts";
import { smiGroup, splitGroup } from "../std/well-known.ts";

/** The CustomResourceDefinitions of our kinds, made of their schemas; by file name. Written by src/files/generate-crds.ts. */
export function buildCrds(): ReadonlyMap<string, object> {
  return new Map(kinds.map((kind) => [`${kind.group}_${kind.plural}.yaml`, buildCrd(kind)]));
}

/** What the schema alone cannot say; `expression` is CEL on `spec`. */
interface Rule {
  readonly expression: string;
  readonly message: string;
}

interface CrdKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly description: string;
  readonly spec: object;
  readonly status: StructuralSchema;
  readonly rules: readonly Rule[];
  /** Header → JSON path. */
  readonly columns: Readonly<Record<string, string>>;
}

/** Nothing is in it yet; what a later version writes is kept by an earlier CRD. */
const openStatus: StructuralSchema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

const backendRules: readonly Rule[] = [
  { expression: "self.backends.all(b, b.service != self.service)", message: "a backend must not be the root service itself" },
  { expression: "self.backends.all(b, self.backends.exists_one(o, o.service == b.service))", message: "a backend must not stand twice" },
];

const kinds: readonly CrdKind[] = [
  {
    group: smiGroup,
    version: "v1beta1",
    kind: "TLSConfig",
    plural: "tlsconfigs",
    singular: "tlsconfig",
    description: "Pods that match the selector talk mutual TLS.",
    spec: TlsConfigSpec,
    status: openStatus,
    rules: [],
    columns: { Mode: ".spec.mode" },
  },
  {
    group: smiGroup,
    version: "v1beta1",
    kind: "Canary",
    plural: "canaries",
    singular: "canary",
    description: "Clients' traffic to a service goes to other services, by weight.",
    spec: CanarySpec,
    status: openStatus,
    rules: [
      ...backendRules,
      {
        expression: "self.backends.exists(b, type(b.weight) == int ? b.weight > 0 : b.weight.matches('^[0.]*[1-9]'))",
        message: "at least one weight must be more than zero",
      },
    ],
    columns: { Service: ".spec.service" },
  },
  {
    group: smiGroup,
    version: "v1beta1",
    kind: "Monitor",
    plural: "monitors",
    singular: "monitor",
    description: "HTTP metrics of the pods that match the selector, for Prometheus.",
    spec: MonitorSpec,
    status: toStructuralSchema(MonitorStatus),
    rules: [
      {
        expression: "!has(self.metricLabels) || !has(self.metricsLabels) || self.metricLabels == self.metricsLabels",
        message: "metricLabels and metricsLabels are two spellings of one field and must not differ",
      },
    ],
    columns: { "Metrics Server": ".status.metricsServer" },
  },
  {
    group: splitGroup,
    version: "v1alpha4",
    kind: "TrafficSplit",
    plural: "trafficsplits",
    singular: "trafficsplit",
    description: "Clients' traffic to a service goes to other services, by weight.",
    spec: TrafficSplitSpec,
    status: openStatus,
    rules: [...backendRules, { expression: "self.backends.exists(b, b.weight > 0)", message: "at least one weight must be more than zero" }],
    columns: { Service: ".spec.service" },
  },
];

function buildCrd({ group, plural, singular, kind, ...rest }: CrdKind): object {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: { group, names: { kind, listKind: `${kind}List`, plural, singular, categories: ["weft"] }, scope: "Namespaced", versions: [buildVersion(rest)] },
  };
}

function buildVersion({ version, description, spec, status, rules, columns }: Omit<CrdKind, "group" | "plural" | "singular" | "kind">): object {
  const validations = rules.map(({ expression, message }) => ({ rule: expression, message }));
  const specSchema = { ...toStructuralSchema(spec), ...(validations.length === 0 ? {} : { "x-kubernetes-validations": validations }) };
  const printed = Object.entries({ ...columns, Age: ".metadata.creationTimestamp" });
  return {
    name: version,
    served: true,
    storage: true,
    subresources: { status: {} },
    additionalPrinterColumns: printed.map(([name, jsonPath]) => ({ name, jsonPath, type: name === "Age" ? "date" : "string" })),
    schema: { openAPIV3Schema: { type: "object", description, required: ["spec"], properties: { spec: specSchema, status } } },
  };
}
