import { describe, expect, it } from "vitest";
import { buildRules, formatRestore, hasOurs, isInForce, type RedirectionOptions } from "../../../src/init/rules.ts";

const options: RedirectionOptions = {
  inboundPort: 15006,
  outboundPort: 15001,
  proxyUid: 1337,
  proxyGid: undefined,
  includedInboundPorts: "*",
  excludedInboundPorts: ["15020", "15090"],
  excludedInboundNetworks: [],
  includedOutboundPorts: "*",
  excludedOutboundPorts: [],
  includedOutboundNetworks: "*",
  excludedOutboundNetworks: [],
  excludedUids: [],
  excludedInterfaces: [],
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
  "-A WEFT_OUTBOUND ! -d 127.0.0.0/8 -o lo -p tcp -m owner --uid-owner 1337 -j WEFT_INBOUND",
  "-A WEFT_OUTBOUND -m owner --uid-owner 1337 -j RETURN",
  "-A WEFT_OUTBOUND -o lo -j RETURN",
  "-A WEFT_OUTBOUND -d 127.0.0.0/8 -j RETURN",
  "-A WEFT_OUTBOUND -j WEFT_REDIRECT",
  "-A WEFT_REDIRECT -p tcp -j REDIRECT --to-ports 15001",
];

function rulesOf(chain: string, changes: Partial<RedirectionOptions>, family: "ipv4" | "ipv6" = "ipv4"): string[] {
  const start = `-A ${chain} `;
  return buildRules({ ...options, ...changes }, family).flatMap((rule) => (rule.startsWith(start) ? [rule.slice(start.length)] : []));
}

describe("the rules", () => {
  it("redirect what comes in and goes out, but not what the proxy sends", () => {
    expect(buildRules(options, "ipv4")).toEqual(wanted);
  });

  it("mean the same for IPv6, where link-local addresses cannot be passed on", () => {
    const rules = buildRules(options, "ipv6");

    expect(rules.filter((rule) => !wanted.includes(rule))).toEqual([
      "-A WEFT_OUTBOUND -s ::6/128 -o lo -j RETURN",
      "-A WEFT_OUTBOUND ! -d ::1/128 -o lo -p tcp -m owner --uid-owner 1337 -j WEFT_INBOUND",
      "-A WEFT_OUTBOUND -d ::1/128 -j RETURN",
      "-A WEFT_OUTBOUND -d fe80::/10 -j RETURN",
    ]);
    expect(wanted.filter((rule) => !rules.includes(rule))).toHaveLength(3);
  });

  it("know the proxy by its group too, when one is given", () => {
    expect(rulesOf("WEFT_OUTBOUND", { proxyGid: 1338 }).filter((rule) => rule.includes("gid-owner"))).toEqual([
      "! -d 127.0.0.0/8 -o lo -p tcp -m owner --gid-owner 1338 -j WEFT_INBOUND",
      "-m owner --gid-owner 1338 -j RETURN",
    ]);
  });

  it("let in what is excluded before anything else, each family its networks", () => {
    const changes = { excludedInterfaces: ["net1", "tun+"], excludedInboundNetworks: ["fd00::/8", "10.0.0.0/8"], excludedInboundPorts: ["22", "8000:8010"] };

    expect(rulesOf("WEFT_INBOUND", changes)).toEqual([
      "-i lo -j RETURN",
      "-i net1 -j RETURN",
      "-i tun+ -j RETURN",
      "-s 10.0.0.0/8 -j RETURN",
      "-p tcp -m tcp --dport 22 -j RETURN",
      "-p tcp -m tcp --dport 8000:8010 -j RETURN",
      "-p tcp -j WEFT_IN_REDIRECT",
    ]);
    expect(rulesOf("WEFT_INBOUND", changes, "ipv6")[3]).toBe("-s fd00::/8 -j RETURN");
  });

  it("let out what is excluded behind what the proxy needs, each family its networks", () => {
    const changes = { excludedUids: ["101", "1000-1999"], excludedInterfaces: ["net1"], excludedOutboundPorts: ["3306"], excludedOutboundNetworks: ["10.0.0.0/8", "::/0", "0.0.0.0/0"] };

    expect(rulesOf("WEFT_OUTBOUND", changes).slice(5)).toEqual([
      "-m owner --uid-owner 101 -j RETURN",
      "-m owner --uid-owner 1000-1999 -j RETURN",
      "-o net1 -j RETURN",
      "-p tcp -m tcp --dport 3306 -j RETURN",
      "-d 10.0.0.0/8 -j RETURN",
      "-j RETURN",
      "-j WEFT_REDIRECT",
    ]);
    expect(rulesOf("WEFT_OUTBOUND", changes, "ipv6").slice(-3)).toEqual(["-p tcp -m tcp --dport 3306 -j RETURN", "-j RETURN", "-j WEFT_REDIRECT"]);
  });

  it("redirect only what is included: such a port in such a network", () => {
    const changes = { includedInboundPorts: ["80", "90:99"], includedOutboundPorts: ["443"], includedOutboundNetworks: ["10.0.0.0/8", "172.16.0.0/12"] };

    expect(rulesOf("WEFT_IN_REDIRECT", changes)).toEqual(["-p tcp -m tcp --dport 80 -j REDIRECT --to-ports 15006", "-p tcp -m tcp --dport 90:99 -j REDIRECT --to-ports 15006"]);
    expect(rulesOf("WEFT_OUTBOUND", changes).slice(-2)).toEqual(["-d 10.0.0.0/8 -j WEFT_REDIRECT", "-d 172.16.0.0/12 -j WEFT_REDIRECT"]);
    expect(rulesOf("WEFT_REDIRECT", changes)).toEqual(["-p tcp -m tcp --dport 443 -j REDIRECT --to-ports 15001"]);
  });

  it("redirect nothing to the networks of a family that has none among the included ones", () => {
    expect(rulesOf("WEFT_OUTBOUND", { includedOutboundNetworks: ["10.0.0.0/8"] }, "ipv6").at(-1)).toBe("-d fe80::/10 -j RETURN");
  });
});

describe("the input of iptables-restore", () => {
  const declared = [":WEFT_INBOUND - [0:0]", ":WEFT_IN_REDIRECT - [0:0]", ":WEFT_OUTBOUND - [0:0]", ":WEFT_REDIRECT - [0:0]"];
  const current = [
    "*nat",
    "-A PREROUTING -p tcp -j WEFT_INBOUND",
    "-A PREROUTING -p tcp -m tcp --dport 80 -j KUBE_X",
    "-A OUTPUT -p tcp -j WEFT_OUTBOUND",
    "-A OUTPUT -p tcp -j WEFT_OUTBOUND",
    "-A OUTPUT -p tcp -m tcp --dport 80 -g WEFT_REDIRECT",
    "-A OUTPUT -p tcp -j WEFT_OUTBOUND_OF_OTHERS",
    "-A KUBE_X -p tcp -j WEFT_REDIRECT",
    "-A WEFT_REDIRECT -p tcp -j REDIRECT --to-ports 1",
    "COMMIT",
  ].join("\n");
  const removed = ["-D PREROUTING -p tcp -j WEFT_INBOUND", "-D OUTPUT -p tcp -j WEFT_OUTBOUND", "-D OUTPUT -p tcp -j WEFT_OUTBOUND", "-D OUTPUT -p tcp -m tcp --dport 80 -g WEFT_REDIRECT"];

  it("declares our chains, which empties them, and commits once", () => {
    expect(formatRestore(wanted, "")).toBe(["*nat", ...declared, ...wanted, "COMMIT", ""].join("\n"));
  });

  it("takes out the jumps that stand, each of them, and no foreign rule", () => {
    expect(formatRestore(wanted, current)).toBe(["*nat", ...declared, ...removed, ...wanted, "COMMIT", ""].join("\n"));
  });

  it("takes out ours and puts nothing in their place, when nothing is wanted", () => {
    expect(formatRestore([], current)).toBe(["*nat", ...declared, ...removed, "COMMIT", ""].join("\n"));
  });
});

describe("whether the rules are in force", () => {
  const others = [...wanted].reverse().filter((rule) => !rule.startsWith("-A WEFT_OUTBOUND"));
  const outbound = wanted.filter((rule) => rule.startsWith("-A WEFT_OUTBOUND"));

  it.each([
    ["in another order of chains, with foreign rules around", [...wanted.slice(2), ...wanted.slice(0, 2), "-A POSTROUTING -j KUBE-POSTROUTING"], true],
    ["a foreign chain uses ours", [...wanted, "-A KUBE_X -j WEFT_REDIRECT"], true],
    ["nothing", [], false],
    ["a jump twice", [...wanted, "-A OUTPUT -p tcp -j WEFT_OUTBOUND"], false],
    ["a rule is missing", wanted.slice(0, -1), false],
    ["a foreign rule in our chain", [...wanted, "-A WEFT_REDIRECT -p udp -j RETURN"], false],
    ["another port", wanted.map((rule) => rule.replace("15001", "15002")), false],
    ["another order in a chain", [...others, ...outbound.reverse()], false],
  ])("%s", (_, lines, expected) => {
    expect(isInForce(wanted, ["*nat", ":PREROUTING ACCEPT [0:0]", ...lines, "COMMIT"].join("\n"))).toBe(expected);
  });
});

describe("whether there are rules of ours", () => {
  it.each([
    ["-A OUTPUT -p tcp -j WEFT_OUTBOUND", true],
    ["-A WEFT_REDIRECT -p tcp -j REDIRECT --to-ports 15001", true],
    ["-A KUBE_X -j WEFT_REDIRECT", false],
    [":WEFT_REDIRECT - [0:0]", false],
  ])("%s", (line, expected) => {
    expect(hasOurs(line)).toBe(expected);
  });
});
