import type { Destination, DestinationName, ProxyIr } from "../../src/ir/proxy-ir.ts";

/** What must hold of every ProxyIr, else Envoy would refuse it or worse; one sentence for each breach. */
export function brokenInvariants(ir: ProxyIr): readonly string[] {
  const { destinations } = ir.outbound;
  const names = new Set(destinations.map(nameOf));
  return [
    ...repeated(destinations.map(nameOf), "destination"),
    ...repeated(destinations.flatMap(({ addresses, port }) => addresses.map((address) => `${address} ${port}`)), "address and port"),
    ...repeated(ir.inbound.ports.map(({ number }) => String(number)), "inbound port"),
    ...destinations.flatMap((destination) => [...brokenShares(destination, names), ...brokenServers(destination)]),
    ...(ir.inbound.peerPrefix.endsWith("/") ? [] : ["the prefix of peers must end with a slash, or it would match longer trust domains"]),
  ];
}

function brokenShares(destination: Destination, names: ReadonlySet<string>): readonly string[] {
  const { shares } = destination;
  const sum = shares.reduce((total, { weight }) => total + weight, 0);
  return [
    ...shares.filter(({ weight }) => !Number.isInteger(weight) || weight < 1).map(({ weight }) => `${nameOf(destination)}: weight ${weight} is no positive integer`),
    ...shares.filter((share) => !names.has(nameOf(share))).map((share) => `${nameOf(destination)}: ${nameOf(share)} is no destination`),
    ...(sum > 4_294_967_295 ? [`${nameOf(destination)}: the weights add up to ${sum}`] : []),
  ];
}

function brokenServers(destination: Destination): readonly string[] {
  const { servers, identities } = destination;
  return [
    ...repeated(servers.map(({ address, port }) => `${address} ${port}`), `${nameOf(destination)}: server`),
    ...servers
      .filter(({ identity }) => identity !== "" && !identities.includes(identity))
      .map(({ identity }) => `${nameOf(destination)}: the identity ${identity} of a server is not among those that clients accept`),
  ];
}

function repeated(values: readonly string[], what: string): readonly string[] {
  return values.filter((value, index) => values.indexOf(value) < index).map((value) => `${what} ${value} stands twice`);
}

function nameOf({ namespace, service, port }: DestinationName): string {
  return `${namespace}/${service}:${port}`;
}
