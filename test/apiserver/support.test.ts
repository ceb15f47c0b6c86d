import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startApiServer, type TestApiServer } from "../support/apiserver.ts";

let server: TestApiServer;
beforeAll(async () => {
  server = await startApiServer();
});
afterAll(() => server?.stop());

describe("the test's API server", () => {
  it("keeps its objects over a restart and a compaction", async () => {
    const path = "/api/v1/namespaces/default/configmaps";
    await server.call("POST", path, { metadata: { name: "kept" }, data: { a: "1" } });

    await server.halt();
    await server.resume();
    await server.compact();

    expect(await server.call("GET", `${path}/kept`)).toMatchObject({ status: 200, body: { data: { a: "1" } } });
  });
});
