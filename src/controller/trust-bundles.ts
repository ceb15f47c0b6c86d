import type { OwnerReference } from "../api/kubernetes.ts";
import type { ObjectSource } from "../api/objects.ts";
import type { Logger } from "../runtime/logger.ts";
import { trustBundle } from "../std/well-known.ts";
import type { Rotating } from "../std/rotating.ts";
import { Reconciler } from "./reconciler.ts";

export interface TrustBundlesOptions {
  readonly source: ObjectSource;
  /** PEM. */
  readonly bundle: Rotating<string>;
  readonly owner: OwnerReference;
  /** Server-side apply of a ConfigMap. Rejects when that is not possible now. */
  readonly apply: (path: string, configMap: object) => Promise<unknown>;
  readonly logger: Logger;
}

const tenMinutes = 600_000;

/** Keeps the trust bundle in every namespace; only the leader runs it. The returned function ends it. */
export function startTrustBundles({ source, bundle, owner, apply, logger }: TrustBundlesOptions): () => Promise<void> {
  const reconciler = new Reconciler({
    what: "trust bundle",
    logger,
    desired: () => new Map([...source.current().objects.Namespace.keys()].map((namespace) => [namespace, bundle.current()])),
    // ConfigMaps are not watched: there are too many that are none of ours.
    isSeen: () => false,
    resync: tenMinutes,
    write: (namespace, pem) => apply(`/api/v1/namespaces/${namespace}/configmaps/${trustBundle.configMap}`, configMapOf(namespace, pem, owner)),
  });
  const ends = [
    bundle.onChange(() => reconciler.trigger()),
    source.onChange((kinds) => {
      if (kinds.has("Namespace")) reconciler.trigger();
    }),
  ];
  reconciler.start();
  return async () => {
    for (const end of ends) end();
    await reconciler.stop();
  };
}

function configMapOf(namespace: string, pem: string, owner: OwnerReference): object {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace, name: trustBundle.configMap, labels: { "app.kubernetes.io/managed-by": "weft" }, ownerReferences: [owner] },
    data: { [trustBundle.key]: pem },
  };
}
