import type { z } from 'zod';
import { excerpt, nearestName } from '../text/index.ts';
import { dataChecks } from './data-schema.ts';
import { homesOf, keysAt } from './known-keys.ts';
import { smallerIsBetter } from './metric-range.ts';
import { namePrefixOf } from './name-prefix.ts';
import { formatPath, type PolicyPath } from './policy-path.ts';
import type { Expectation } from './schema-expectation.ts';
import { oneLineYaml } from './yaml-text.ts';

/** What to write instead of `value` at `path`, where that can be guessed. */
export function fixFor(
  path: PolicyPath,
  value: unknown,
  expectation: Expectation,
  root: z.ZodType,
): string | undefined {
  const wants = (kind: Expectation['kinds'][number]) => expectation.kinds.includes(kind);
  const key = path.at(-1);
  if (value === null) {
    return typeof key === 'string'
      ? `Write a value after "${excerpt(key, 40)}:", or remove the key.`
      : 'Remove the empty entry.';
  }
  if (typeof value === 'string') {
    const choices = expectation.values.filter((known) => typeof known === 'string');
    const near = nearestName(value, choices) ?? namePrefixOf(value, choices);
    if (near !== undefined) return `Did you mean "${near}"?`;
    const number = numberIn(value);
    const numberWanted =
      wants('number') ||
      wants('integer') ||
      (expectation.words?.startsWith('a number, or a date') ?? false) ||
      expectation.values.some((known) => typeof known === 'number');
    if (numberWanted && number !== undefined) {
      return number === value.trim() ? `Remove the quotes: ${number}.` : `Write ${number}.`;
    }
    if (wants('mapping')) return mappingFor(path, value, root);
  }
  if (typeof value === 'number' && wants('text') && expectation.words?.startsWith('a percentage')) {
    return `Write ${value < 1 ? Number((value * 100).toPrecision(12)) : value}%.`;
  }
  if (typeof value === 'number' && wants('mapping')) return boundFor(path, value, root);
  if ((typeof value === 'number' || typeof value === 'boolean') && wants('text') && !wants('number')) {
    return `Put it in quotes: ${JSON.stringify(String(value))}.`;
  }
  if (wants('list')) {
    if (typeof value === 'string' || typeof value === 'number') return `Write a list: [${oneLineYaml(value)}].`;
    if (typeof value === 'object') return 'Start each entry of the list with "- ".';
  }
  if (expectation.maximum === 1 && typeof value === 'number' && value > 1 && value <= 100) {
    return `Write ${value / 100} for ${value} %.`;
  }
  return undefined;
}

/** The number a text means: `"0.9"`, `0,9`, `90%` (0.9), `10,000`. */
function numberIn(text: string): string | undefined {
  const trimmed = text.trim();
  if (/^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i.test(trimmed)) return trimmed;
  if (/^\d{1,3}([,_ ]\d{3})+$/.test(trimmed)) return trimmed.replace(/[,_ ]/g, '');
  if (/^\d+,\d+$/.test(trimmed)) return trimmed.replace(',', '.');
  const percentage = /^(\d+(?:\.\d+)?) ?%$/.exec(trimmed)?.[1];
  return percentage === undefined ? undefined : String(Number((Number(percentage) / 100).toPrecision(12)));
}

function mappingFor(path: PolicyPath, value: string, root: z.ZodType): string | undefined {
  const keys = keysAt(path, root);
  if (path.length === 4 && path[2] === 'checks') {
    const near = nearestName(value, Object.keys(dataChecks));
    return near === undefined ? undefined : `Write "- ${near}: { ${keysAt([...path, near], root)[0]}: ... }".`;
  }
  if (keys.includes('path') && /[./]/.test(value)) return `Write { path: ${excerpt(oneLineYaml(value), 60)} }.`;
  return homesOf(value, path, root).length > 0
    ? `Write "${value}:" with a value, indented under "${path.at(-1)}:".`
    : undefined;
}

function boundFor(path: PolicyPath, value: number, root: z.ZodType): string | undefined {
  const keys = keysAt(path, root);
  const metric = String(path.at(-1));
  const bound =
    ['max_share', 'max_mb', 'p95_ms'].find((known) => keys.includes(known)) ??
    (smallerIsBetter(metric) ? 'max' : 'min');
  return keys.includes(bound) ? `Write "${formatPath(path.slice(-1))}: { ${bound}: ${value} }".` : undefined;
}
