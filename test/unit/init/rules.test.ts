import { describe, expect, it } from "vitest";
import { buildRules, formatRestore, isInForce, type RedirectionOptions } from "../../../src/init/rules.ts";

const options: RedirectionOptions = {
  inboundPort: 15006,
  outboundPort: 15001,
  proxyUid: 1337,
  proxyGid: undefined,
  excludedInboundPorts: [15020, 15090],
  excludedOutboundPorts: [],
  excludedOutboundNetworks: [],
};

const wanted = [
  "-A PREROUTING -p tcp -j WEFT_INBOUND",
  "-A OUTPUT -p tcp -j WEFT_OUTBOUND",
  "-A WEFT_INBOUND -i lo -j RETURN",
  "-A WEFT_INBOUND -p tcp -m tcp --dport 15020 -j RETURN",
  "-A WEFT_INBOUND -p tcp -m tcp --dport 15090 -j RETURN",
  "-A WEFT_INBOUND -p tcp -j WEFT_IN_REDIRECT",
  "-A WEFT_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006",
  "-A WEFT_OUTBOUND -s 127.0.0.6/32 -o lo -j RETURN",
  "-A WEFT_OUTBOUND ! -d 127.0.0.0/8 -o lo -p tcp -m owner --uid-owner 1337 -j WEFT_IN_REDIRECT",
  "-A WEFT_OUTBOUND -m owner --uid-owner 1337 -j RETURN",
  "-A WEFT_OUTBOUND -o lo -j RETURN",
  "-A WEFT_OUTBOUND -d 127.0.0.0/8 -j RETURN",
  "-A WEFT_OUTBOUND -j WEFT_REDIRECT",
  "-A WEFT_REDIRECT -p tcp -j REDIRECT --to-ports 15001",
];

describe("the rules", () => {
  it("redirect what comes in and goes out, but not what the proxy sends", () => {
    expect(buildRules(options)).toEqual(wanted);
  });

  it("let excluded ports and networks through, once each", () => {
    const rules = buildRules({ ...options, excludedInboundPorts: [22, 22], excludedOutboundPorts: [3306], excludedOutboundNetworks: ["10.0.0.0/8", "0.0.0.0/0"] });

    expect(rules.filter((rule) => rule.includes("RETURN") && !rule.includes("owner"))).toEqual([
      "-A WEFT_INBOUND -i lo -j RETURN",
      "-A WEFT_INBOUND -p tcp -m tcp --dport 22 -j RETURN",
      "-A WEFT_OUTBOUND -s 127.0.0.6/32 -o lo -j RETURN",
      "-A WEFT_OUTBOUND -o lo -j RETURN",
      "-A WEFT_OUTBOUND -d 127.0.0.0/8 -j RETURN",
      "-A WEFT_OUTBOUND -p tcp -m tcp --dport 3306 -j RETURN",
      "-A WEFT_OUTBOUND -d 10.0.0.0/8 -j RETURN",
      "-A WEFT_OUTBOUND -j RETURN",
    ]);
  });

  it("know the proxy by its group too, when one is given", () => {
    expect(buildRules({ ...options, proxyGid: 1338 }).filter((rule) => rule.includes("gid-owner"))).toEqual([
      "-A WEFT_OUTBOUND ! -d 127.0.0.0/8 -o lo -p tcp -m owner --gid-owner 1338 -j WEFT_IN_REDIRECT",
      "-A WEFT_OUTBOUND -m owner --gid-owner 1338 -j RETURN",
    ]);
  });
});

describe("the input of iptables-restore", () => {
  it("declares our chains, which empties them, and commits once", () => {
    const declared = [":WEFT_INBOUND - [0:0]", ":WEFT_IN_REDIRECT - [0:0]", ":WEFT_OUTBOUND - [0:0]", ":WEFT_REDIRECT - [0:0]"];

    expect(formatRestore(options, "")).toBe(["*nat", ...declared, ...wanted, "COMMIT", ""].join("\n"));
  });

  it("takes out the jumps that stand, each of them, and no foreign rule", () => {
    const current = [
      "*nat",
      "-A PREROUTING -p tcp -j WEFT_INBOUND",
      "-A PREROUTING -p tcp -m tcp --dport 80 -j KUBE_X",
      "-A OUTPUT -p tcp -j WEFT_OUTBOUND",
      "-A OUTPUT -p tcp -j WEFT_OUTBOUND",
      "-A WEFT_REDIRECT -p tcp -j REDIRECT --to-ports 1",
      "COMMIT",
    ].join("\n");

    const removed = formatRestore(options, current).split("\n").filter((line) => line.startsWith("-D"));

    expect(removed).toEqual(["-D PREROUTING -p tcp -j WEFT_INBOUND", "-D OUTPUT -p tcp -j WEFT_OUTBOUND", "-D OUTPUT -p tcp -j WEFT_OUTBOUND"]);
  });
});

describe("whether the rules are in force", () => {
  const others = [...wanted].reverse().filter((rule) => !rule.startsWith("-A WEFT_OUTBOUND"));
  const outbound = wanted.filter((rule) => rule.startsWith("-A WEFT_OUTBOUND"));

  it.each([
    ["in another order of chains, with foreign rules around", [...wanted.slice(2), ...wanted.slice(0, 2), "-A POSTROUTING -j KUBE-POSTROUTING"], true],
    ["nothing", [], false],
    ["a jump twice", [...wanted, "-A OUTPUT -p tcp -j WEFT_OUTBOUND"], false],
    ["a rule is missing", wanted.slice(0, -1), false],
    ["another port", wanted.map((rule) => rule.replace("15001", "15002")), false],
    ["another order in a chain", [...others, ...outbound.reverse()], false],
  ])("%s", (_, lines, expected) => {
    expect(isInForce(options, ["*nat", ":PREROUTING ACCEPT [0:0]", ...lines, "COMMIT"].join("\n"))).toBe(expected);
  });
});
