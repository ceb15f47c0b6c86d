import { defineConfig } from "vitest/config";

/** One project a tier; `make test-unit` and the others pick theirs. Real components are slow to start on two cores. */
function tier(name: string, include: string[], testTimeout: number) {
  return { extends: true as const, test: { name, include, testTimeout, hookTimeout: testTimeout * 4, fileParallelism: name === "unit" } };
}

export default defineConfig({
  test: {
    projects: [
      tier("unit", ["test/{unit,golden,repo}/**/*.test.ts"], 20_000),
      tier("xds", ["test/xds/**/*.test.ts"], 20_000),
      tier("envoy", ["test/envoy/**/*.test.ts"], 60_000),
      tier("apiserver", ["test/apiserver/**/*.test.ts"], 60_000),
    ],
  },
});
