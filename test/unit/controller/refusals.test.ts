import { describe, expect, it } from "vitest";
import { createRefusals } from "../../../src/controller/refusals.ts";

const refused = { kind: "refused", proxy: "shop/web-1", type: "listener", names: ["inbound", "outbound"], sentence: "inbound: no such filter." } as const;

describe("what proxies refuse", () => {
  it("is a Problem on the Pod, for the resource that the proxy names", () => {
    const refusals = createRefusals();

    refusals.record(refused);

    expect(refusals.problems()).toEqual([
      {
        severity: "error",
        code: "proxy-refused",
        object: { kind: "Pod", namespace: "shop", name: "web-1" },
        sentence: "The proxy refuses listener inbound: inbound: no such filter. Its last good configuration stays.",
      },
    ]);
  });

  it("is every resource of the response when the proxy names none", () => {
    const refusals = createRefusals();

    refusals.record({ ...refused, sentence: "bad" });

    expect(refusals.problems()).toHaveLength(2);
  });

  it("is over when the proxy accepts the resource, or is gone", () => {
    const refusals = createRefusals();
    refusals.record(refused);
    refusals.record({ kind: "accepted", proxy: "shop/web-1", type: "listener", names: ["inbound"] });
    expect(refusals.problems()).toEqual([]);

    refusals.record(refused);
    refusals.forget("shop/web-1");
    expect(refusals.problems()).toEqual([]);
  });
});
