import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidValue, parseId, parseNetworks, parsePorts } from "../../../src/init/parse-lists.ts";

describe("the values of the flags", () => {
  it("are lists of ports", () => {
    expect(parsePorts("15020, 15090,,22")).toEqual([15020, 15090, 22]);
    expect(parsePorts("")).toEqual([]);
  });

  it.each(["0", "65536", "-1", "80-90", "http", "80\n-A INPUT", "1e3"])("are not the port %j", (text) => {
    expect(() => parsePorts(text)).toThrow(new InvalidValue(`'${text}' is not a port. Give a number from 1 to 65535.`));
  });

  it.each([
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["255.255.255.255", "255.255.255.255/32"],
    ["192.168.255.1/20", "192.168.240.0/20"],
    ["1.2.3.4/0", "0.0.0.0/0"],
  ])("are the network %s as the kernel keeps it, %s", (text, expected) => {
    expect(parseNetworks(text)).toEqual([expected]);
  });

  it.each(["10.0.0.0/33", "256.0.0.0", "10.0.0", "::1", "10.0.0.0/8 -j ACCEPT", "localhost"])("are not the network %j", (text) => {
    expect(() => parseNetworks(text)).toThrow(InvalidValue);
  });

  it("never let anything into a rule but digits, dots and a slash", () => {
    const property = fc.property(fc.oneof(fc.string(), fc.ipV4Extended()), everyNetworkIsPlain);

    expect(() => fc.assert(property)).not.toThrow();
  });

  it("are ids of users, without the one that means none", () => {
    expect(parseId("0")).toBe(0);
    expect(parseId("4294967294")).toBe(4294967294);
    expect(() => parseId("4294967295")).toThrow(InvalidValue);
    expect(() => parseId("root")).toThrow(InvalidValue);
  });
});

function everyNetworkIsPlain(text: string): boolean {
  try {
    return parseNetworks(text).every((network) => /^[0-9.]+\/[0-9]+$/.test(network));
  } catch (error) {
    return error instanceof InvalidValue;
  }
}
