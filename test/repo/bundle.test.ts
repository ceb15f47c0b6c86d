import type { Metafile } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { bundle } from "../../src/build/bundler.ts";
import { packagesOf, reachOf } from "../../src/build/reach.ts";

let metafile: Metafile;

beforeAll(async () => {
  metafile = await bundle({ entry: "src/cli/main.ts", outputDirectory: "dist", write: false });
});

/** Servers, the Kubernetes client and the gRPC library cost tens of MB; a sidecar that reaches them reaches them in every pod. */
const heavy = /^(fastify|@kubernetes\/client-node|@grpc\/grpc-js|@peculiar\/x509|node-forge)$/;

describe("what runs in every pod", () => {
  it.each(["agent", "adapter", "init"])("weft %s carries no server framework, no Kubernetes client and no gRPC", (command) => {
    const reach = reachOf(metafile, `src/cli/commands/${command}.ts`);

    expect(packagesOf(reach).filter((name) => heavy.test(name))).toEqual([]);
    expect(reach.sources.filter((path) => /^(src\/(k8s|xds|gen|envoy|mesh|ir|controller|files)|webhook|certs\/(ca|serving))\//.test(path))).toEqual([]);
  });
});
