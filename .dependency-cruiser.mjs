// The dependency rules of weft: data flows up, imports point down. The table in src/README.md says the same (tested).

/** Which folders each layer may import, besides itself. */
export const mayImport = {
  "src/std": [],
  "src/gen": [],
  "src/api": ["src/std"],
  "src/mesh": ["src/std", "src/api"],
  "src/ir": ["src/std", "src/mesh"],
  "src/envoy": ["src/std", "src/ir", "src/gen"],
  "webhook/inject": ["src/std", "src/api", "src/mesh", "src/envoy"],
  "certs/x509": ["src/std", "src/mesh"],
  "src/runtime": ["src/std"],
  "src/files": ["src/std", "src/api", "src/runtime"],
  "src/k8s": ["src/std", "src/api", "src/runtime"],
  "src/xds": ["src/std", "src/gen", "src/runtime"],
  "src/monitor": ["src/std", "src/api", "src/runtime"],
  "certs/serving": ["src/std", "src/runtime"],
};

/** Modules without effects: same input, same output. */
const pure =
  "^(src/(std|api|mesh|ir|envoy)/|src/xds/(cache|stream)\\.ts$|src/monitor/(statsd|metric-names|exposition)\\.ts$|src/init/rules\\.ts$|webhook/inject/|certs/x509/)";

/** Folders that become a process: they wire the rest together, and only the command line imports them. */
const processes = "^(src/(controller|adapter|init)/|webhook/(?!inject/)|certs/(ca|agent)/)";

const layers = Object.entries(mayImport).map(([layer, below]) => ({
  name: `layer ${layer}`,
  comment: `${layer} imports only itself${below.map((folder) => `, ${folder}`).join("")}.`,
  severity: "error",
  from: { path: `^${layer}/` },
  to: { path: "^(src|webhook|certs|test)/", pathNot: [layer, ...below].map((folder) => `^${folder}/`) },
}));

const rule = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

export default {
  forbidden: [
    ...layers,
    rule("pure: no node core", "Pure modules touch no file, socket, clock or environment.", { path: pure }, { dependencyTypes: ["core"] }),
    rule("pure: npm allow-list", "Pure modules use only schema, X.509 and text libraries.", { path: pure }, { path: "node_modules/", pathNot: "node_modules/(typebox|@peculiar|reflect-metadata|yaml|@bufbuild)/" }),
    rule("processes are roots", "Only the command line starts a process.", { path: "^(src|webhook|certs)/", pathNot: `${processes}|^src/cli/` }, { path: processes }),
    rule("processes are separate", "A process does not import another; the CA runs inside the controller.", { path: "^(src/controller|src/adapter|src/init|certs/ca|certs/agent|webhook)/" }, { path: processes, pathNot: "^($1/|certs/ca/)" }),
    rule("CA only in the controller", "", { path: "^(src/adapter|src/init|certs/agent|webhook)/" }, { path: "^certs/ca/" }),
    rule("one injector, two users", "Only the webhook and the command line inject.", { pathNot: "^(webhook|src/cli|test)/" }, { path: "^webhook/" }),
    rule("gen: types only", "Builders use generated types; src/xds alone encodes.", { path: "^src/envoy/" }, { path: "^src/gen/", dependencyTypesNot: ["type-only"] }),
    rule("one Kubernetes client", "Only src/k8s knows the client library.", { path: "^(src|webhook|certs)/", pathNot: "^src/k8s/" }, { path: "node_modules/@kubernetes/" }),
    rule("no junk drawer", "Name the idea, not the drawer.", {}, { path: "/(utils?|helpers?|common|misc|types|constants)(/|\\.ts$)", pathNot: "node_modules" }),
    rule("no cycles", "", {}, { circular: true }),
    rule("no orphans", "Dead code.", { orphan: true, pathNot: "(\\.d\\.ts|\\.config\\.m?[jt]s|/main\\.ts|generate[a-z-]*\\.m?[jt]s|\\.dependency-cruiser\\.mjs)$|^(test|src/gen)/" }, {}),
    rule("production not to test", "", { path: "^(src|webhook|certs)/" }, { path: "^test/" }),
    rule("production not to dev dependency", "", { path: "^(src|webhook|certs)/", pathNot: "^src/(gen|build)/" }, { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] }),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules|^src/gen" },
    exclude: { path: "^dist/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "types"] },
  },
};
