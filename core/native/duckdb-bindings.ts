/**
 * The native half of DuckDB. Its other half is JavaScript in 150 files, which take longer to find than to run: the bundle carries them, and finds
 * this where they ask for `@duckdb/node-bindings` (see build/bundle.ts).
 */
let bindings: unknown;

/** Says which bindings DuckDB's JavaScript is to run on, before it is loaded. */
export function useBindings(loaded: unknown): void {
  bindings = loaded;
}

export function bindingsInUse(): unknown {
  if (bindings === undefined) throw new TypeError("DuckDB's JavaScript was loaded before its bindings");
  return bindings;
}
