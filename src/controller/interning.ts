/**
 * Keeps what did not change the same object from one rebuild to the next, so that `src/xds` finds its bytes, and sees by
 * identity that a proxy has nothing to be told.
 */
import { resourceTypes, type ResourceSet, type ResourceType } from "../std/resource-set.ts";

export interface Interning {
  /** `previous` is what this proxy had. */
  share(set: ResourceSet, previous: ResourceSet | undefined): ResourceSet;
  /** A rebuild begins: what it does not use again is forgotten at the one after. */
  next(): void;
}

type Resources = ReadonlyMap<string, object>;

export function createInterning(): Interning {
  let young = new Map<string, object>();
  let old = new Map<string, object>();
  // Proxies share maps and objects within a rebuild: their content is looked at once.
  let seen = new WeakMap<object, object>();

  function shareResource(type: ResourceType, resource: object): object {
    return remembered(resource, () => {
      const content = `${type}\u0000${JSON.stringify(resource)}`;
      const same = young.get(content) ?? old.get(content) ?? resource;
      young.set(content, same);
      return same;
    });
  }

  function shareAll(type: ResourceType, resources: Resources): Resources {
    return remembered(resources, () => new Map([...resources].map(([name, resource]) => [name, shareResource(type, resource)])));
  }

  function remembered<T extends object>(key: T, make: () => T): T {
    const known = seen.get(key);
    // What stands under a map is a map, and under a resource a resource.
    if (known !== undefined) return known as T;
    const made = make();
    seen.set(key, made);
    return made;
  }

  return {
    share(set, previous) {
      const shared = Object.fromEntries(resourceTypes.map((type) => [type, keepSame(shareAll(type, set[type]), previous?.[type])]));
      const made: ResourceSet = { ...set, ...shared };
      return previous !== undefined && resourceTypes.every((type) => made[type] === previous[type]) ? previous : made;
    },
    next() {
      old = young;
      young = new Map();
      seen = new WeakMap();
    },
  };
}

function keepSame(resources: Resources, previous: Resources | undefined): Resources {
  if (previous?.size !== resources.size) return resources;
  for (const [name, resource] of resources) if (previous.get(name) !== resource) return resources;
  return previous;
}
