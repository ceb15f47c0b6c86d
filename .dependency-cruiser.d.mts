/** Tests read the rules. */
export declare const mayImport: Readonly<Record<string, readonly string[]>>;
declare const config: { readonly forbidden: readonly { readonly name: string; readonly severity: string }[] };
export default config;
