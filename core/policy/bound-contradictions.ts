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
  if (typeof min !== 'number' || typeof max !== 'number' || min <= max) return [];
  return [
    {
      code: 'min-above-max',
      message: 'min is above max, so nothing can pass',
      path: [...path, 'min'],
      found: `min ${min}, max ${max}`,
      fix: 'Swap or widen them.',
    },
  ];
}
