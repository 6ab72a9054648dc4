/** Answers questions about tables: DuckDB in this process, or an engine elsewhere. */
export interface SqlEngine {
  /** The rows a statement gives. Integers come as numbers where those are exact, else as bigint; lists as arrays. */
  query(sql: string): Promise<readonly Record<string, unknown>[]>;
}
