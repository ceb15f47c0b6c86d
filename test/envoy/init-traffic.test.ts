import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addresses, families, makeNamespaces, type Call, type Namespaces, type Place } from "./init-namespaces.ts";

/** What `weft init` does to connections, by both packet filters and both families; listeners stand for the proxy and the application. */
const application = 1000;
const proxy = 1337;

/** The listener that must answer, and the address that it must see. */
type Seen = readonly [number, Place];

const fromPeer = { from: "peer", as: application, to: "pod" } as const;
const fromApplication = { from: "pod", as: application } as const;
const fromProxy = { from: "pod", as: proxy } as const;

const defaults: readonly (readonly [string, Call, Seen])[] = [
  ["what comes in goes to the proxy", { ...fromPeer, port: "8080" }, [15006, "peer"]],
  ["also on ports that nobody listens on", { ...fromPeer, port: "8099" }, [15006, "peer"]],
  ["probes reach the agent", { ...fromPeer, port: "15020" }, [15020, "peer"]],
  ["scrapes reach the adapter", { ...fromPeer, port: "15090" }, [15090, "peer"]],
  ["datagrams come in as they are", { ...fromPeer, port: "8080/udp" }, [8080, "peer"]],
  ["what the application sends goes to the proxy", { ...fromApplication, to: "peer", port: "9000" }, [15001, "pod"]],
  ["also what root sends", { from: "pod", as: 0, to: "elsewhere", port: "9000" }, [15001, "pod"]],
  ["datagrams go out as they are", { ...fromApplication, to: "peer", port: "9000/udp" }, [9000, "pod"]],
  ["what the proxy sends leaves", { ...fromProxy, to: "peer", port: "9000" }, [9000, "pod"]],
  ["the application reaches itself by loopback", { ...fromApplication, to: "loopback", port: "8080" }, [8080, "loopback"]],
  ["the application reaches itself by the pod's address", { ...fromApplication, to: "pod", port: "8080" }, [8080, "pod"]],
  ["the proxy's call to its own pod comes in as any other", { ...fromProxy, to: "pod", port: "8080" }, [15006, "pod"]],
  ["the proxy's inbound side reaches the application", { ...fromProxy, to: "pod", port: "8080", source: "inboundSource" }, [8080, "inboundSource"]],
  ["the proxy reaches its neighbours by loopback", { ...fromProxy, to: "loopback", port: "15020" }, [15020, "loopback"]],
];

const choices: readonly (readonly [string, readonly string[], readonly (readonly [Call, Seen])[]])[] = [
  [
    "excluded inbound ports reach the application, from the own proxy too",
    ["--exclude-inbound-ports", "8000-8080"],
    [
      [{ ...fromPeer, port: "8080" }, [8080, "peer"]],
      [{ ...fromPeer, port: "8081" }, [15006, "peer"]],
      [{ ...fromPeer, port: "15020" }, [15020, "peer"]],
      [{ ...fromProxy, to: "pod", port: "8080" }, [8080, "pod"]],
    ],
  ],
  [
    "only included inbound ports go to the proxy",
    ["--include-inbound-ports", "8080"],
    [
      [{ ...fromPeer, port: "8080" }, [15006, "peer"]],
      [{ ...fromPeer, port: "8081" }, [8081, "peer"]],
      [{ ...fromProxy, to: "pod", port: "8081" }, [8081, "pod"]],
    ],
  ],
  [
    "clients in excluded networks reach the application",
    ["--exclude-inbound-cidrs", "10.99.8.0/24,fd99:8::/32"],
    [
      [{ ...fromPeer, port: "8080", source: "elsewhere" }, [8080, "elsewhere"]],
      [{ ...fromPeer, port: "8080" }, [15006, "peer"]],
    ],
  ],
  [
    "excluded outbound ports are reached directly",
    ["--exclude-outbound-ports", "9001"],
    [
      [{ ...fromApplication, to: "peer", port: "9001" }, [9001, "pod"]],
      [{ ...fromApplication, to: "peer", port: "9000" }, [15001, "pod"]],
    ],
  ],
  [
    "excluded outbound networks are reached directly",
    ["--exclude-outbound-cidrs", "10.99.8.0/24", "--exclude-outbound-cidrs", "fd99:8::/32"],
    [
      [{ ...fromApplication, to: "elsewhere", port: "9000" }, [9000, "pod"]],
      [{ ...fromApplication, to: "peer", port: "9000" }, [15001, "pod"]],
    ],
  ],
  [
    "only included outbound ports in included networks go to the proxy",
    ["--include-outbound-cidrs", "10.99.8.0/24,fd99:8::/32", "--include-outbound-ports", "9000"],
    [
      [{ ...fromApplication, to: "elsewhere", port: "9000" }, [15001, "pod"]],
      [{ ...fromApplication, to: "elsewhere", port: "9001" }, [9001, "pod"]],
      [{ ...fromApplication, to: "peer", port: "9000" }, [9000, "pod"]],
    ],
  ],
  [
    "excluded users' connections leave directly",
    ["--exclude-uids", "5,1001-1002"],
    [
      [{ from: "pod", as: 1002, to: "peer", port: "9000" }, [9000, "pod"]],
      [{ from: "pod", as: 1003, to: "peer", port: "9000" }, [15001, "pod"]],
    ],
  ],
  [
    "excluded interfaces are left alone in both directions",
    ["--exclude-interfaces", "net1"],
    [
      [{ ...fromPeer, to: "secondPod", port: "8080" }, [8080, "secondPeer"]],
      [{ ...fromApplication, to: "secondPeer", port: "9000" }, [9000, "secondPod"]],
      [{ ...fromPeer, port: "8080" }, [15006, "peer"]],
      [{ ...fromApplication, to: "peer", port: "9000" }, [15001, "pod"]],
    ],
  ],
];

let network: Namespaces;

describe.each(["nft", "legacy"] as const)("by %s", (filter) => {
  beforeAll(async () => {
    network = await makeNamespaces();
    if (filter === "legacy") for (const tool of ["iptables-legacy", "ip6tables-legacy"]) await network.run(tool, "-A", "INPUT", "-p", "sctp", "-j", "ACCEPT");
  });

  afterAll(() => network.stop());

  describe.each(families)("over %s", (family) => {
    it.each(defaults)("%s", async (_, call, [port, source]) => {
      const { stderr } = await network.init();

      expect(stderr).toContain(`(iptables-${filter}: `);
      expect(stderr).toContain(`(ip6tables-${filter}: `);
      expect(await network.call(family, call)).toBe(`${port} from ${addresses[family][source]}`);
    });

    it.each(choices)("%s", async (_, flags, calls) => {
      expect((await network.init(...flags)).code).toBe(0);

      for (const [call, [port, source]] of calls) expect(await network.call(family, call)).toBe(`${port} from ${addresses[family][source]}`);
    });
  });
});
