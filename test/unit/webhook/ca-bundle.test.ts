import { pino } from "pino";
import { expect, it } from "vitest";
import { keepCaBundle } from "../../../webhook/ca-bundle.ts";

const logger = pino({ level: "silent" });

it("writes only the bundle of each webhook, tries again after a failure, and follows a rotation", async () => {
  const applied: object[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const rotated = Promise.withResolvers<void>();
  let failures = 1;
  let bundle = "old";
  let listener: (() => void) | undefined;
  const keeper = keepCaBundle({
    certificates: {
      current: () => ({ key: "", certificateChain: "", caBundle: bundle, expires: new Date(0) }),
      onChange(changed) {
        listener = changed;
        return () => (listener = undefined);
      },
    },
    apply(object) {
      failures -= 1;
      if (failures >= 0) return Promise.reject(new Error("not there yet"));
      applied.push(object);
      (applied.length === 1 ? resolve : rotated.resolve)();
      return Promise.resolve();
    },
    webhooks: ["namespace.weft.mesh"],
    logger,
    retry: 1,
  });

  await promise;
  bundle = "old and new";
  listener?.();
  await rotated.promise;
  await keeper.stop();

  expect(listener).toBeUndefined();
  expect(applied).toEqual(
    ["b2xk", "b2xkIGFuZCBuZXc="].map((caBundle) => ({
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name: "weft" },
      webhooks: [{ name: "namespace.weft.mesh", clientConfig: { caBundle } }],
    })),
  );
});
