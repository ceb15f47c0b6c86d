import { objectKey, type MeshObject, type MeshObjects } from "../../src/api/objects.ts";
import { noObjects } from "../../src/files/assemble.ts";
import { meshObjects } from "./reviews.ts";

/** A source's state with `count` TLSConfigs over `namespaces` opted-in namespaces. */
export function meshState(count: number, namespaces: number): MeshObjects {
  const maps = Object.fromEntries(Object.keys(noObjects).map((kind) => [kind, new Map<string, MeshObject>()]));
  for (const object of meshObjects(count, namespaces)) maps[object.kind]?.set(objectKey(object.metadata), object);
  return maps as unknown as MeshObjects;
}
