import { type Hide, said } from '../http/index.ts';
import type { Problem } from '../problem/index.ts';
import type { TrinoRefusal } from './trino-answer.ts';

/** Errors that the table, not Sluice or the server, is to blame for, with what to do. */
const fixes: Readonly<Record<string, readonly [code: string, message: string, fix: string]>> = {
  TABLE_NOT_FOUND: ['missing-table', 'the table is not there', 'Correct its name: catalog.schema.table.'],
  SCHEMA_NOT_FOUND: [
    'missing-table',
    'the schema of the table is not there',
    'Correct its name: catalog.schema.table.',
  ],
  CATALOG_NOT_FOUND: [
    'missing-table',
    'the catalog of the table is not there',
    'Correct its name: catalog.schema.table; `SHOW CATALOGS` lists those that the user sees.',
  ],
  PERMISSION_DENIED: [
    'table-forbidden',
    'the user of the policy may not read the table',
    'Give the user SELECT on the table, or name another user.',
  ],
  EXCEEDED_TIME_LIMIT: [
    'engine-limit',
    'the statement took longer than the engine lets it',
    'Raise query_max_run_time (engines.trino.session), or check fewer columns.',
  ],
  EXCEEDED_GLOBAL_MEMORY_LIMIT: [
    'engine-limit',
    'the statement needs more memory than the engine gives it',
    'Check fewer columns at once: unique, duplicate_rows and class_share take the most.',
  ],
  EXCEEDED_LOCAL_MEMORY_LIMIT: [
    'engine-limit',
    'the statement needs more memory than the engine gives it',
    'Check fewer columns at once: unique, duplicate_rows and class_share take the most.',
  ],
};

/** The problem that a refused statement is. What the server says is cut and made harmless. */
export function trinoProblem(error: TrinoRefusal, hide: Hide): Problem {
  const name = error.errorName ?? '';
  const [code, message, fix] = fixes[name] ?? [
    'engine-refused',
    'the engine refused a statement',
    error.errorType === 'INSUFFICIENT_RESOURCES' || error.errorType === 'INTERNAL_ERROR'
      ? "Look at the engine's own log, and try again."
      : 'If the table is in order, this is a mistake of Sluice: report it with these words.',
  ];
  const words = [name, error.message ?? ''].filter((part) => part !== '').join(': ');
  return { code, message, ...(words === '' ? {} : { found: said(words, hide, 300) }), fix };
}
