import { containers, ports, proxyUser, volumes } from "../../src/std/well-known.ts";
import { listAt, textAt } from "./opaque.ts";
import type { ContainerView, PodView } from "./pod.ts";
import type { ReasonCode } from "./reasons.ts";

/** What about a pod's own content makes injection impossible; `sentence` names every culprit, and what to do. */
export interface Collision {
  readonly code: Extract<ReasonCode, "proxy-uid-collision" | "port-collision" | "name-collision">;
  readonly sentence: string;
}

/** The first collision of the pod in the order of DESIGN §5; undefined when it can be injected. */
export function findCollision(pod: PodView): Collision | undefined {
  return findUserCollision(pod) ?? findPortCollision(pod) ?? findNameCollision(pod);
}

/** Redirection leaves out what the proxy's user sends: a container that runs as that user would bypass it. */
function findUserCollision(pod: PodView): Collision | undefined {
  const culprits = pod.containers.filter(({ user }) => user === proxyUser).map(quoteName);
  if (culprits.length === 0) return undefined;
  return {
    code: "proxy-uid-collision",
    sentence: `${list("container", culprits)} would run as UID ${proxyUser}, which is the proxy's, and so bypass it; set another runAsUser`,
  };
}

function findPortCollision(pod: PodView): Collision | undefined {
  const culprits = pod.containers.flatMap((container) =>
    container.ports.filter(({ port, protocol }) => isOurs(port, protocol)).map(({ port }) => `${port} of container ${quoteName(container)}`),
  );
  if (culprits.length === 0) return undefined;
  const ours = Object.values(ports).toSorted((a, b) => a - b).join(", ");
  return { code: "port-collision", sentence: `${list("port", culprits)} is taken by a sidecar; weft uses ${ours}: choose another port` };
}

/** All of ours speak TCP; statsd UDP too. */
function isOurs(port: number, protocol: string): boolean {
  if (protocol === "UDP") return port === ports.statsd;
  return protocol === "TCP" && Object.values<number>(ports).includes(port);
}

function findNameCollision(pod: PodView): Collision | undefined {
  const containerNames = pod.containers.map(({ name }) => name);
  const culprits = [
    ...taken("container", containerNames, Object.values(containers)),
    ...taken("volume", pod.volumes, Object.values(volumes)),
    ...findMounts(pod),
  ];
  if (culprits.length === 0) return undefined;
  return { code: "name-collision", sentence: `${culprits.join(", ")}: the name is one that injection uses` };
}

/** The volume does not exist yet, but once it does the container would read the pod's key. */
function findMounts(pod: PodView): string[] {
  const names = Object.values<string>(volumes);
  return pod.containers.flatMap((container) => {
    const mounted = listAt(listAt(pod.spec, container.list)[container.index], "volumeMounts").map((mount) => textAt(mount, "name"));
    return mounted.filter((name) => names.includes(name)).map((name) => `container ${quoteName(container)} mounts volume '${name}' (no other container may)`);
  });
}

function taken(noun: string, names: readonly string[], ours: readonly string[]): string[] {
  return ours.filter((name) => names.includes(name)).map((name) => `${noun} '${name}' (rename it, '${freeName(name, names)}' is free)`);
}

function freeName(name: string, used: readonly string[]): string {
  const stem = `app-${name}`;
  let number = 1;
  while (used.includes(number === 1 ? stem : `${stem}-${number}`)) number += 1;
  return number === 1 ? stem : `${stem}-${number}`;
}

function quoteName(container: ContainerView): string {
  return `'${container.name}'`;
}

function list(noun: string, items: readonly string[]): string {
  return `${noun}${items.length > 1 ? "s" : ""} ${items.join(", ")}`;
}
