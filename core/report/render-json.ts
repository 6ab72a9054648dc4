import type { Report } from './report.ts';

// Reads from the most to the least important, in every object of the report; keys not named here follow by alphabet.
const keyOrder: ReadonlyMap<string, number> = new Map(
  [
    ...[
      'schema',
      'tool',
      'name',
      'version',
      'verdict',
      'headline',
      'id',
      'kind',
      'title',
      'section',
      'status',
      'level',
    ],
    ...[
      'message',
      'observed',
      'bound',
      'value',
      'relative',
      'unit',
      'baseline',
      'estimate',
      'lower',
      'upper',
      'method',
      'n',
    ],
    ...[
      'against',
      'evidence',
      'rowsToSettle',
      'total',
      'columns',
      'rows',
      'row',
      'values',
      'failing',
      'reason',
      'expires',
    ],
    ...['waiver', 'key', 'base', 'head', 'effective', 'file', 'line', 'column', 'place', 'path', 'sha256', 'bytes'],
    ...['checks', 'policy', 'origin', 'onInconclusive', 'differences', 'notices', 'candidate', 'sources', 'commit'],
    ...['environment', 'figures'],
  ].map((key, position) => [key, position]),
);

/**
 * The report as JSON: one order of keys whatever order the objects were built in, two spaces, a newline at the end. An
 * infinite number (an interval without an upper end) is written as the string `"Infinity"`; `parseReport` reads it back.
 */
export function renderJson(report: Report): string {
  const json = JSON.stringify(ordered(report), undefined, 2);
  // A curve's numbers on one line. A text in JSON holds no line break, so only arrays are met.
  return `${json.replace(/\[\n\s+([-+\d.e,\s]+?)\s+\]/g, (_all, numbers: string) => `[${numbers.replace(/\s+/g, ' ')}]`)}\n`;
}

function ordered(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, content]) => content !== undefined)
      .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
      .map(([key, content]) => [key, ordered(content)]),
  );
}

function rank(key: string): number {
  return keyOrder.get(key) ?? keyOrder.size;
}
