import { expect, it } from "vitest";
import { nearestName } from "../../../../webhook/inject/nearest-name.ts";

const known = ["concurrency", "exclude-inbound-ports", "exclude-outbound-ports", "env"];

it.each([
  ["concurency", "concurrency"],
  ["Concurrency", "concurrency"],
  ["exclude-inbound-port", "exclude-inbound-ports"],
  ["exclude-outbond-ports", "exclude-outbound-ports"],
  ["evn", "env"],
  ["completely-else", undefined],
  ["x".repeat(300), undefined],
])("for %s it is %s", (name, nearest) => {
  expect(nearestName(name, known)).toBe(nearest);
});
