import { describe, expect, it } from "vitest";
import { chooseFilter, natRules, type FamilyState } from "../../../src/init/choose-tool.ts";

const nat = "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j WEFT_OUTBOUND\nCOMMIT\n";
const none: FamilyState = { family: "ipv4", nft: { rules: "*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n" }, legacy: "" };

function failed(kind: "missing" | "refused" | "unsupported"): FamilyState["nft"] {
  return { failure: { program: "iptables-nft-save", kind, said: "no" } };
}

describe("the packet filter that takes the rules", () => {
  it.each<[string, Partial<FamilyState>, ReturnType<typeof chooseFilter>]>([
    ["nft when both can be had", {}, { filter: "nft", because: "the kernel has nf_tables" }],
    ["nft when legacy tables stand empty", { legacy: "*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n" }, { filter: "nft", because: "the kernel has nf_tables" }],
    ["legacy when it holds rules, in any table", { legacy: "*filter\n-A INPUT -p udp -j DROP\nCOMMIT\n" }, { filter: "legacy", because: "legacy tables hold rules already" }],
    ["legacy without the kernel's nf_tables", { nft: failed("unsupported") }, { filter: "legacy", because: "the kernel has no nf_tables" }],
    ["legacy without the tool for nft", { nft: failed("missing") }, { filter: "legacy", because: "iptables-nft-save is not installed" }],
    ["none without the privilege", { nft: failed("refused") }, undefined],
  ])("is %s", (_, state, expected) => {
    expect(chooseFilter({ ...none, ...state })).toEqual(expected);
  });
});

describe("the rules of table nat", () => {
  it("are taken from a dump of all tables", () => {
    const legacy = `*filter\n-A INPUT -j DROP\nCOMMIT\n${nat}*mangle\n-A OUTPUT -j MARK\nCOMMIT\n`;

    expect(natRules({ ...none, legacy }, "legacy")).toBe("\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j WEFT_OUTBOUND\n");
    expect(natRules({ ...none, nft: { rules: nat } }, "nft")).toBe("\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j WEFT_OUTBOUND\n");
  });

  it("are none where there is no such table, or no such filter", () => {
    expect(natRules({ ...none, legacy: "*filter\n-A INPUT -j DROP\nCOMMIT\n" }, "legacy")).toBe("");
    expect(natRules({ ...none, nft: failed("unsupported") }, "nft")).toBe("");
  });
});
