import { describe, expect, it } from "vitest";
import { isIpAddress } from "../../../src/std/ip-address.ts";

describe("an IP address", () => {
  it.each(["10.0.0.1", "0.0.0.0", "255.255.255.255", "::", "::1", "fd00::1", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "1::"])("is %s", (text) => {
    expect(isIpAddress(text)).toBe(true);
  });

  it.each(["", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1/32", "None", "1:2:3:4:5:6:7", "1::2::3", ":1", "fd00::g", "12345::", "1:2:3:4:5:6:7::8", "10.0.0.1::"])(
    "is not %j",
    (text) => {
      expect(isIpAddress(text)).toBe(false);
    },
  );
});
