import { excerpt } from '../text/index.ts';

/** The way from a policy's root to a value in it: `['gates', 'accuracy', 'min']`, `['data', 0, 'checks', 2]`. */
export type PolicyPath = readonly (string | number)[];

/** `gates.accuracy.min`, `data[0].checks[2]`, `model.inputs["my input"]`: safe to print. */
export function formatPath(path: PolicyPath): string {
  let key = '';
  for (const segment of path) {
    if (typeof segment === 'number') key += `[${segment}]`;
    else if (/^[\w-]{1,60}$/.test(segment)) key += key === '' ? segment : `.${segment}`;
    else key += `["${excerpt(segment, 40)}"]`;
  }
  return key;
}

/** Whether `value` is a mapping (not a list, not null). */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at the end of `path`, or `undefined` when the path leaves the policy. */
export function valueAt(value: unknown, path: PolicyPath): unknown {
  let at: unknown = value;
  for (const segment of path) {
    if (Array.isArray(at) && typeof segment === 'number') at = at[segment];
    else if (isMapping(at) && typeof segment === 'string' && Object.hasOwn(at, segment)) at = at[segment];
    else return undefined;
  }
  return at;
}
