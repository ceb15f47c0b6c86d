import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { toolVersions } from "../../src/runtime/tool-recipes.ts";

describe("the Dockerfile", () => {
  it("takes the Envoy that tests and make images take", async () => {
    const text = await readFile("Dockerfile", "utf8");

    expect(/^ARG ENVOY_VERSION=(.*)$/m.exec(text)?.[1]).toBe(toolVersions.envoy);
  });

  it("ends in the same user, entry and paths as the image of make images", async () => {
    const text = await readFile("Dockerfile", "utf8");

    expect(text.slice(text.indexOf("FROM scratch")).trim().split("\n")).toEqual([
      "FROM scratch",
      "COPY --from=build /root-file-system/ /",
      "ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
      "USER 1337:1337",
      "WORKDIR /",
      'ENTRYPOINT ["weft"]',
    ]);
  });
});
