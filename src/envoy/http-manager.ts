import type { FilterJson } from "../gen/envoy/config/listener/v3/listener_components_pb.d.ts";
import type { HttpConnectionManagerJson } from "../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.d.ts";
import type { RouterJson } from "../gen/envoy/extensions/filters/http/router/v3/router_pb.d.ts";
import { packAny } from "./pack-any.ts";

const managerType = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

/** What differs between our HTTP connection managers. */
export type HttpManager = Pick<HttpConnectionManagerJson, "statPrefix" | "rds" | "routeConfig" | "forwardClientCertDetails">;

/**
 * An HTTP proxy that the application does not notice: no time limits (an idle stream may be a long poll), no changed
 * paths, no added or rewritten headers (Envoy insists on `x-forwarded-proto`), upgrades and HTTP/1.0 as they come.
 */
export function httpManager(options: HttpManager): FilterJson {
  const manager: HttpConnectionManagerJson = {
    ...options,
    httpFilters: [router()],
    streamIdleTimeout: "0s",
    generateRequestId: false,
    preserveExternalRequestId: true,
    skipXffAppend: true,
    serverHeaderTransformation: "PASS_THROUGH",
    proxy100Continue: true,
    upgradeConfigs: [{ upgradeType: "websocket" }],
    httpProtocolOptions: { acceptHttp10: true, defaultHostForHttp10: "localhost" },
    maxRequestHeadersKb: 96,
    normalizePath: false,
    mergeSlashes: false,
    pathWithEscapedSlashesAction: "KEEP_UNCHANGED",
  };
  return { name: "envoy.filters.network.http_connection_manager", typedConfig: packAny(managerType, manager) };
}

function router() {
  const config: RouterJson = { suppressEnvoyHeaders: true };
  return { name: "envoy.filters.http.router", typedConfig: packAny("envoy.extensions.filters.http.router.v3.Router", config) };
}
