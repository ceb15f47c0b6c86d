/** For the default of an exhaustive switch: a value here is a bug, not bad input. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
