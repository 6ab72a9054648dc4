// DuckDB's own parser says what a text means; what is not on these lists is refused, whatever it is. So a new function or kind of
// expression of a later DuckDB is refused until someone has looked at it.

/** Of one row each, cheap, and alike on every machine and at every time. */
export const rowFunctions: ReadonlySet<string> = new Set(
  `+ - * / // % ** ^ abs sign round floor ceil ceiling trunc sqrt cbrt exp ln log log2 log10 pow power mod
  greatest least isnan isinf isfinite nullif ifnull
  ~~ !~~ ~~* !~~* contains starts_with prefix suffix ends_with lower upper trim length
  year month day hour minute dayofweek isodow date_diff datediff`.split(/\s+/),
);

export const plainOperators: ReadonlySet<string> = new Set([
  'COMPARE_IN',
  'COMPARE_NOT_IN',
  'OPERATOR_NOT',
  'OPERATOR_IS_NULL',
  'OPERATOR_IS_NOT_NULL',
  'OPERATOR_COALESCE',
  'OPERATOR_NULLIF',
]);

export const castTypes: ReadonlySet<string> = new Set(
  'BOOLEAN TINYINT SMALLINT INTEGER BIGINT UTINYINT USMALLINT UINTEGER UBIGINT FLOAT DOUBLE DECIMAL VARCHAR DATE TIMESTAMP'.split(
    ' ',
  ),
);
