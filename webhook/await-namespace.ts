import type { ObjectSource } from "../src/api/objects.ts";

/**
 * Resolves when the source knows the namespace, at the latest after `milliseconds`. A namespace and its first pod often come
 * in one command, and the watch may be a moment behind; no call is made.
 */
export async function awaitNamespace(source: ObjectSource, name: string, milliseconds: number): Promise<void> {
  if (milliseconds <= 0 || source.current().objects.Namespace.has(name)) return;
  await new Promise<void>((resolve) => {
    function end(): void {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    }
    const timer = setTimeout(end, milliseconds);
    const unsubscribe = source.onChange(() => {
      if (source.current().objects.Namespace.has(name)) end();
    });
  });
}
