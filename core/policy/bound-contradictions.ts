import { excerpt } from '../text/index.ts';
import type { Contradiction } from './contradictions.ts';
import { isMapping, type PolicyPath } from './policy-path.ts';

/** A mapping that must have one of `keys`, but has none. `what` names it in the message: `the check "between"`. */
export function lacksBound(
  value: unknown,
  keys: readonly string[],
  what: string,
  path: PolicyPath,
): readonly Contradiction[] {
  if (!isMapping(value) || keys.some((key) => key in value)) return [];
  const shown = keys.length > 5 ? [...keys.slice(0, 3), '...'] : keys;
  return [
    {
      code: 'no-bound',
      message: `${what} demands nothing`,
      path,
      lackingIn: path,
      expected: `at least one of ${shown.join(', ')}`,
      fix: 'Add one of them, or remove the whole of it.',
    },
  ];
}

/** `min` above `max`: nothing can hold both. */
export function minAboveMax(value: unknown, path: PolicyPath): readonly Contradiction[] {
  if (!isMapping(value)) return [];
  const { min, max } = value;
  if (typeof min !== typeof max) {
    if (!isEnd(min) || !isEnd(max)) return [];
    return [
      {
        code: 'mixed-ends',
        message: 'one end is a number and the other a date',
        path: [...path, 'min'],
        found: `min ${excerpt(String(min), 40)}, max ${excerpt(String(max), 40)}`,
        fix: 'Write both as numbers, or both as dates.',
      },
    ];
  }
  const above =
    typeof min === 'number'
      ? min > Number(max)
      : typeof min === 'string' && min.replace('T', ' ') > String(max).replace('T', ' ');
  if (!above) return [];
  return [
    {
      code: 'min-above-max',
      message: 'min is above max, so nothing can pass',
      path: [...path, 'min'],
      found: `min ${excerpt(String(min), 40)}, max ${excerpt(String(max), 40)}`,
      fix: 'Swap or widen them.',
    },
  ];
}

/** A number, or what begins as a date does. */
function isEnd(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^\d{4}-/.test(value));
}
