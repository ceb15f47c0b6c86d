/** What went wrong with one object, as a value: the object is left out or limited, the rest goes on. */

/** The object that a Problem or a decision is about; `namespace` is empty for cluster-scoped objects. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export type Severity = "error" | "warning";

/** `code` is a key of {@link problemCodes}; `sentence` says what happened and what to do about it. */
export interface Problem {
  readonly severity: Severity;
  readonly code: ProblemCode;
  readonly object: ObjectRef;
  readonly sentence: string;
}

/** Every code, with what it means in general. Rows of the table in `src/mesh/README.md`. */
export const problemCodes = {
  "object-invalid": "the object does not match its schema and is left out",
  "object-unreadable": "a file cannot be read or is not YAML; the last good content stays",
  "object-duplicate": "the same object stands in two files; the first one counts",
  "field-unknown": "a field is not known, probably misspelt, and is passed over",
  "version-unknown": "this version of the kind is not known; the object is left out",
  "subject-name-refused": "a subject name may not stand in a certificate of this namespace and is left out",
  "selector-empty": "the selector is empty and selects every pod of the namespace",
  "backend-missing": "a backend Service does not exist and takes no part",
  "backend-port-missing": "a backend lacks a port of the root Service and takes no part on it",
  "backend-is-root": "a backend is the root itself; the object is left out",
  "backend-duplicate": "a backend stands twice in the list; the object is left out",
  "backend-is-split": "a backend is the root of another split; it is used as the plain Service",
  "root-missing": "the root Service does not exist; the split is not in force",
  "root-namespace": "the root names a Service of another namespace; the object is left out",
  "root-taken": "another, older split is in force for the root",
  "weights-zero": "all weights are zero; requests are answered with 503",
  "matches-ignored": "a split with matches is not in force yet",
  "labels-conflict": "metricLabels and metricsLabels differ; metricLabels is used",
  "address-invalid": "an address is no IP address and is left out",
  "address-taken": "another Service has the same address and port; this one cannot be told from it",
  "proxy-refused": "a proxy refused the configuration made of this object; its last good one stays",
} as const;

export type ProblemCode = keyof typeof problemCodes;

/** `TLSConfig bookstore/my-tls`: how an object is named in messages. */
export function formatObject(object: ObjectRef): string {
  return object.namespace === "" ? `${object.kind} ${object.name}` : `${object.kind} ${object.namespace}/${object.name}`;
}

/** `error: Canary shop/rollout: … (backend-is-root)`: how a Problem is told to a person. */
export function formatProblem({ severity, code, object, sentence }: Problem): string {
  return `${severity}: ${formatObject(object)}: ${sentence} (${code})`;
}

/** Orders problems by object, then code, so that output is stable. */
export function compareProblems(a: Problem, b: Problem): number {
  const left = [formatObject(a.object), a.code, a.sentence].join("\u0000");
  const right = [formatObject(b.object), b.code, b.sentence].join("\u0000");
  return left < right ? -1 : left > right ? 1 : 0;
}
