// Regenerates the Envoy types of this folder from the protos that @grpc/grpc-js-xds ships: `make gen`.
// Needs no network: buf and protoc-gen-es come from npm.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const deps = join(root, "node_modules/@grpc/grpc-js-xds/deps");

/** What weft sends to an Envoy; everything these import comes along. */
const entries = [
  "envoy/service/discovery/v3/ads.proto",
  "envoy/service/discovery/v3/discovery.proto",
  "envoy/config/bootstrap/v3/bootstrap.proto",
  "envoy/config/listener/v3/listener.proto",
  "envoy/config/route/v3/route.proto",
  "envoy/config/cluster/v3/cluster.proto",
  "envoy/config/endpoint/v3/endpoint.proto",
  "envoy/config/metrics/v3/stats.proto",
  "envoy/config/rbac/v3/rbac.proto",
  "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto",
  "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto",
  "envoy/extensions/filters/network/rbac/v3/rbac.proto",
  "envoy/extensions/filters/http/rbac/v3/rbac.proto",
  "envoy/extensions/filters/http/router/v3/router.proto",
  "envoy/extensions/filters/http/fault/v3/fault.proto",
  "envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto",
  "envoy/extensions/filters/listener/http_inspector/v3/http_inspector.proto",
  "envoy/extensions/filters/listener/original_dst/v3/original_dst.proto",
  "envoy/extensions/transport_sockets/tls/v3/tls.proto",
  "envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.proto",
  "envoy/extensions/upstreams/http/v3/http_protocol_options.proto",
  "envoy/extensions/access_loggers/file/v3/file.proto",
];

const work = mkdtempSync(join(tmpdir(), "weft-gen-"));
try {
  for (const tree of ["envoy-api", "xds", "googleapis", "protoc-gen-validate"]) cpSync(join(deps, tree), work, { recursive: true });
  // The shipped validate.proto is older than the Envoy protos that use this field.
  const validate = join(work, "validate/validate.proto");
  writeFileSync(validate, readFileSync(validate, "utf8").replace("message StringRules {", "message StringRules {\n  optional bool ignore_empty = 26;"));
  writeFileSync(join(work, "buf.yaml"), "version: v2\n");
  const template = {
    version: "v2",
    plugins: [{ local: [process.execPath, join(root, "node_modules/.bin/protoc-gen-es")], out: here, opt: ["target=js+dts", "json_types=true", "import_extension=js"], include_imports: true }],
  };
  rmSync(join(here, "envoy"), { recursive: true, force: true });
  for (const folder of ["udpa", "xds", "validate", "google"]) rmSync(join(here, folder), { recursive: true, force: true });
  const paths = entries.flatMap((entry) => ["--path", entry]);
  execFileSync(join(root, "node_modules/.bin/buf"), ["generate", "--template", JSON.stringify(template), ...paths], { cwd: work, stdio: "inherit" });
} finally {
  rmSync(work, { recursive: true, force: true });
}
