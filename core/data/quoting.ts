/** A name as a quoted SQL identifier. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as a SQL string literal. DuckDB has no escapes in it besides the doubled quote. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * An absolute path as the literal of DuckDB's file readers, which take a pattern: `*`, `?` and `[` are put into brackets, so
 * that they stand for themselves.
 */
export function quotePath(path: string): string {
  return quoteLiteral(escapePattern(path));
}

/** A path as a pattern that matches it alone. */
export function escapePattern(path: string): string {
  return path.replace(/[*?[]/g, '[$&]');
}
