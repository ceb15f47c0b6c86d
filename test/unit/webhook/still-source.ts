import type { MeshKind, MeshObject, MeshObjects, ObjectSource } from "../../../src/api/objects.ts";
import { assemble, noObjects } from "../../../src/files/assemble.ts";

function collect(objects: readonly MeshObject[], previous: MeshObjects): MeshObjects {
  return assemble({ files: new Map([["objects", { objects, problems: [] }]]), derive: "nothing", previous }).objects;
}

/** A source whose objects the test changes by hand. */
export function stillSource(objects: readonly MeshObject[], synced: Promise<void> = Promise.resolve()): ObjectSource & { change(next: readonly MeshObject[]): void } {
  const listeners = new Set<(kinds: ReadonlySet<MeshKind>) => void>();
  let state = collect(objects, noObjects);
  return {
    synced,
    current: () => ({ objects: state, problems: [] }),
    trouble: () => undefined,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => Promise.resolve(),
    change(next) {
      state = collect(next, state);
      for (const listener of listeners) listener(new Set());
    },
  };
}
