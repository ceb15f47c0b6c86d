/** One entry of a tar archive, in the ustar format (POSIX.1-1988): all root's, all from 1970, so that the same content gives the same bytes. */
export type TarEntry = { readonly path: string; readonly mode: number } & (
  | { readonly kind: "directory" }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "file"; readonly size: number }
);

const block = 512;
const typeFlags = { file: "0", symlink: "2", directory: "5" } as const;

/** The 512 bytes in front of an entry's content. @throws when the path or the target does not fit: 100 bytes each. */
export function formatHeader(entry: TarEntry): Buffer {
  const header = Buffer.alloc(block);
  writeText(header, entry.kind === "directory" ? `${entry.path}/` : entry.path, { at: 0, size: 100 });
  header.write(octal(entry.mode, 7), 100, "latin1");
  header.write(octal(0, 7), 108, "latin1");
  header.write(octal(0, 7), 116, "latin1");
  header.write(octal(entry.kind === "file" ? entry.size : 0, 11), 124, "latin1");
  header.write(octal(0, 11), 136, "latin1");
  header.write(typeFlags[entry.kind], 156, "latin1");
  if (entry.kind === "symlink") writeText(header, entry.target, { at: 157, size: 100 });
  header.write("ustar\u000000root", 257, "latin1");
  header.write("root", 297, "latin1");
  // The sum of all bytes, with its own field taken as spaces.
  const sum = header.reduce((total, byte) => total + byte, 0) + 8 * 0x20;
  header.write(`${octal(sum, 6)}\u0000 `, 148, "latin1");
  return header;
}

/** The zeros after a content of that size. */
export function formatPadding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}

/** What ends an archive. */
export function formatEnd(): Buffer {
  return Buffer.alloc(2 * block);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function writeText(header: Buffer, text: string, field: { readonly at: number; readonly size: number }): void {
  if (Buffer.byteLength(text) > field.size) throw new Error(`'${text}' is longer than the ${field.size} bytes that a tar header has for it`);
  header.write(text, field.at, "utf8");
}
