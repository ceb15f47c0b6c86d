import { InvalidArgumentError, Option } from "commander";
import { parseEndpoint, type Endpoint } from "../std/endpoint.ts";

/** Flags that several commands have, each read and checked in one way: a bad value is wrong usage, and nothing has started. */

/** A flag whose value is HOST:PORT. */
export function endpointFlag(flag: string, description: string, fallback: string): Option {
  return new Option(`${flag} <host:port>`, description).argParser(readEndpoint).default(readEndpoint(fallback), fallback);
}

/** `--config` of a command that takes `--resources`. */
export function configFlag(): Option {
  return new Option("--config <file>", "mesh configuration (default: weft.yaml of the resources)");
}

export function kubernetesVersionFlag(): Option {
  return new Option("--kubernetes-version <version>", "decides on native sidecars").argParser(readVersion).default("1.36");
}

/** The value of a flag that names a pod. */
export function readPodName(value: string): string {
  if (!/^[^/]+\/[^/]+$/.test(value)) throw new InvalidArgumentError("A pod is named NAMESPACE/POD.");
  return value;
}

function readEndpoint(value: string): Endpoint {
  const endpoint = parseEndpoint(value);
  if (endpoint === undefined) throw new InvalidArgumentError("An address is HOST:PORT, such as 127.0.0.1:15010 or [::1]:0.");
  return endpoint;
}

function readVersion(value: string): string {
  if (!/^v?[0-9]+\.[0-9]+/.test(value)) throw new InvalidArgumentError("A version looks like 1.36.");
  return value;
}
