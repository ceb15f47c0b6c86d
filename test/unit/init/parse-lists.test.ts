import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidValue, parseExcludedInboundPorts, parseId, parseIds, parseInterfaces, parsePort, parsePorts, parsePortsOrAll } from "../../../src/init/parse-lists.ts";

const wantedPorts = "Give ports from 1 to 65535, or ranges of them like 8000-8010, comma-separated.";

describe("lists of ports", () => {
  it("are written as iptables prints them, once each", () => {
    expect(parsePorts("15020, 15090,,22,8000-8010, 9 - 10 ,22,7-7")).toEqual(["15020", "15090", "22", "8000:8010", "9:10", "7"]);
    expect(parsePorts("")).toEqual([]);
  });

  it.each(["0", "65536", "-1", "90-80", "1-2-3", "0-5", "80-", "http", "80\n-A INPUT", "1e3", "080", "8 0", "80:90", "*"])("do not have %j", (text) => {
    expect(() => parsePorts(`80,${text}`)).toThrow(new InvalidValue(`'${text.replace("\n", "?")}' cannot be used. ${wantedPorts}`));
  });

  it("name every bad one at once, and long ones shortened", () => {
    const long = "9".repeat(100);

    expect(() => parsePorts(`0,80,x,${long}`)).toThrow(new InvalidValue(`'0', 'x', '${"9".repeat(40)}...' cannot be used. ${wantedPorts}`));
    expect(() => parsePorts("a,b,c,d,e,f,g,h,i,j")).toThrow(new InvalidValue(`'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h' and 2 more cannot be used. ${wantedPorts}`));
  });

  it("hold at most 64 entries", () => {
    const ports = Array.from({ length: 64 }, (_, index) => String(index + 1));

    expect(parsePorts(ports.join(","))).toEqual(ports);
    expect(() => parsePorts([...ports, "1"].join(","))).toThrow(new InvalidValue("65 entries are too many. Give at most 64; ranges and networks hold many in one."));
  });

  it("hold what the injector adds besides, where ports are excluded inbound", () => {
    const ports = Array.from({ length: 576 }, (_, index) => String(index + 1));

    expect(parseExcludedInboundPorts(ports.join(","))).toEqual(ports);
    expect(() => parseExcludedInboundPorts([...ports, "1"].join(","))).toThrow(new InvalidValue("577 entries are too many. Give at most 576; ranges and networks hold many in one."));
  });

  it("may be * where something is included", () => {
    expect(parsePortsOrAll(" * ")).toBe("*");
    expect(parsePortsOrAll("80")).toEqual(["80"]);
    expect(parsePortsOrAll("")).toEqual([]);
    expect(() => parsePortsOrAll("*,80")).toThrow(new InvalidValue(`'*' cannot be used. Give * or ${wantedPorts.slice(5)}`));
  });
});

describe("one port", () => {
  it("is a number from 1 to 65535", () => {
    expect(parsePort("15006")).toBe(15006);
    expect(() => parsePort("0")).toThrow(new InvalidValue("'0' is not a port. Give a number from 1 to 65535."));
    expect(() => parsePort("80-90")).toThrow(InvalidValue);
  });
});

describe("ids of users", () => {
  it("leave out the one that means none", () => {
    expect(parseId("0")).toBe(0);
    expect(parseId("4294967294")).toBe(4294967294);
    expect(() => parseId("4294967295")).toThrow(new InvalidValue("'4294967295' is not a user or group id. Give a number from 0 to 4294967294."));
    expect(() => parseId("root")).toThrow(InvalidValue);
  });

  it("may be a list with ranges", () => {
    expect(parseIds("0,1000-1999,4294967294")).toEqual(["0", "1000-1999", "4294967294"]);
    expect(() => parseIds("root,4294967295,5")).toThrow(new InvalidValue("'root', '4294967295' cannot be used. Give user ids from 0 to 4294967294, or ranges of them like 1000-1999, comma-separated."));
  });
});

describe("names of interfaces", () => {
  it("may end in what stands for whatever follows", () => {
    expect(parseInterfaces("net1,tun+,eth0.100,abcdefghijklmno")).toEqual(["net1", "tun+", "eth0.100", "abcdefghijklmno"]);
  });

  it.each(["lo", "l+", "lo+", "+", "-j", "a b", "a/b", "!eth0", "abcdefghijklmnop", "ethé"])("are not %j", (text) => {
    expect(() => parseInterfaces(text)).toThrow(InvalidValue);
  });
});

describe("whatever is given", () => {
  it("lets nothing into a rule that could mean something else there", () => {
    const plain = [parsePorts, parseIds, parseInterfaces].map((parse) =>
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-0-9:+a-z,]*$/)), (text) => everyEntry(parse, text, /^[A-Za-z0-9_][A-Za-z0-9_.:@+-]*$/)),
    );

    expect(() => plain.forEach((property) => fc.assert(property))).not.toThrow();
  });
});

function everyEntry(parse: (text: string) => readonly string[], text: string, shape: RegExp): boolean {
  try {
    return parse(text).every((entry) => shape.test(entry));
  } catch (error) {
    return error instanceof InvalidValue;
  }
}
