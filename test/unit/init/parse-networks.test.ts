import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidValue } from "../../../src/init/parse-lists.ts";
import { parseNetworks, parseNetworksOrAll } from "../../../src/init/parse-networks.ts";

describe("lists of networks", () => {
  it.each([
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["255.255.255.255", "255.255.255.255/32"],
    ["192.168.255.1/20", "192.168.240.0/20"],
    ["1.2.3.4/0", "0.0.0.0/0"],
    ["FD00:0:0::1", "fd00::1/128"],
    ["fd12:3456:789a:bcde::/9", "fd00::/9"],
    ["2001:db8:ffff:ffff::1/33", "2001:db8:8000::/33"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1/128"],
    ["::1/0", "::/0"],
    ["1:2:3:4:5:6:7:8/127", "1:2:3:4:5:6:7:8/127"],
    ["::ffff:10.1.2.3/104", "::ffff:10.0.0.0/104"],
  ])("have %s as the kernel keeps it, %s", (text, expected) => {
    expect(parseNetworks(text)).toEqual([expected]);
  });

  it("keep both families, once each", () => {
    expect(parseNetworks("fd00::/8, 10.0.0.0/8,10.9.9.9/8")).toEqual(["fd00::/8", "10.0.0.0/8"]);
  });

  it.each(["10.0.0.0/33", "256.0.0.0", "10.0.0", "::1/129", "::g", "fe80::1%eth0", "10.0.0.0/8/8", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/8 -j ACCEPT", "localhost", "010.0.0.1", "*"])("do not have %j", (text) => {
    expect(() => parseNetworks(`10.0.0.1,${text}`)).toThrow(
      new InvalidValue(`'${text}' cannot be used. Give IPv4 or IPv6 networks or addresses like 10.0.0.0/8, fd00::/8, comma-separated.`),
    );
  });

  it("may be * where something is included", () => {
    expect(parseNetworksOrAll("*")).toBe("*");
    expect(parseNetworksOrAll("::/0")).toEqual(["::/0"]);
  });

  it("let nothing into a rule but digits, dots, colons and a slash", () => {
    const property = fc.property(fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6()), everyNetworkIsPlain);

    expect(() => fc.assert(property)).not.toThrow();
  });

  it("mean the same when they are read again", () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    const property = fc.property(address, fc.nat(32), (text, length) => {
      const [network = ""] = parseNetworks(`${text}/${length}`);
      return parseNetworks(network)[0] === network;
    });

    expect(() => fc.assert(property)).not.toThrow();
  });
});

function everyNetworkIsPlain(text: string): boolean {
  try {
    return parseNetworks(text).every((network) => /^[0-9a-f.:]+\/[0-9]+$/.test(network));
  } catch (error) {
    return error instanceof InvalidValue;
  }
}
