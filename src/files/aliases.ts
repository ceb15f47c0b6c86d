import { isAlias, isCollection, isPair, isScalar, type Document } from "yaml";

/** Of one document with its aliases written out, about in bytes. */
const maxSize = 16 * 1024 * 1024;
/** Aliases times nodes: to find its anchor the reader looks through the document from the start for each. */
const maxWork = 20_000_000;

interface Count {
  nodes: number;
  aliases: number;
  /** Of what each anchor stands for, its own aliases written out. */
  readonly sizes: Map<string, number>;
}

/** Why a document's aliases are too much to write out (a few lines can stand for gigabytes); undefined = they are not. */
export function findAliasProblem(document: Document.Parsed): string | undefined {
  const count: Count = { nodes: 0, aliases: 0, sizes: new Map() };
  const size = sizeOf(document.contents, count);
  if (count.aliases === 0 || (size <= maxSize && count.aliases * count.nodes <= maxWork)) return undefined;
  return "its aliases stand for more than can be read; write them out, or use fewer";
}

function sizeOf(node: unknown, count: Count): number {
  count.nodes++;
  if (isAlias(node)) {
    count.aliases++;
    // The reader tells an anchor that is missing.
    return count.sizes.get(node.source) ?? 0;
  }
  const size = ownSize(node, count);
  if ((isCollection(node) || isScalar(node)) && node.anchor !== undefined) count.sizes.set(node.anchor, size);
  return size;
}

function ownSize(node: unknown, count: Count): number {
  if (isPair(node)) return sizeOf(node.key, count) + sizeOf(node.value, count);
  if (isCollection(node)) return node.items.reduce((sum: number, item) => sum + sizeOf(item, count), 8);
  return isScalar(node) && typeof node.value === "string" ? 8 + node.value.length : 8;
}
