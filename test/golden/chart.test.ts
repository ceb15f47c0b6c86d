import { describe, expect, it } from "vitest";
import { helm } from "../support/helm.ts";

const templates = ["mutating-webhook", "configuration", "webhook-rbac", "controller-rbac", "webhook", "controller"];

describe("the chart with its default values", () => {
  it.each(templates)("renders %s", { timeout: 300_000 }, async (template) => {
    const text = await helm("template", "weft", "charts/weft", "--namespace", "weft-system", "--kube-version", "1.36.0", "--show-only", `templates/${template}.yaml`);

    await expect(text).toMatchFileSnapshot(`chart/${template}.yaml`);
  });
});
