/** A Service as a resource names it. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Reads `foobar`, `foobar.shop`, `foobar.shop.svc` and `foobar.shop.svc.cluster.local.`: the draft calls it "the FQDN that
 * applications use" and writes a bare name. `namespace` is the resource's own. undefined = a host that is no Service.
 */
export function parseServiceName(text: string, namespace: string): ServiceName | undefined {
  const [name, inNamespace = namespace, svc = "svc"] = text.replace(/\.$/, "").split(".");
  return name === undefined || name === "" || svc !== "svc" ? undefined : { namespace: inNamespace, name };
}
