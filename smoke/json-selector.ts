import { InputError } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';
import { memberOf } from './json-selection.ts';

/** `*` picks every element of an array. */
type Step = { readonly key: string } | { readonly every: true };

/** Picks a part of a JSON value, or undefined where it is not there. */
export type Selector = (value: unknown) => unknown;

/**
 * Reads where in a JSON answer something stands: a JSON Pointer (RFC 6901), in which a part `*` goes through an array
 * (`/predictions/*\/score`), or the same as JSONPath (`$.predictions[*].score`, `$['a b'][0]`). Nothing else of JSONPath: no filters, no
 * scripts. Throws an InputError for any other text.
 */
export function parseSelector(text: string): Selector {
  const steps = text.startsWith('$') ? pathSteps(text) : pointerSteps(text);
  if (steps === undefined) {
    throw new InputError({
      code: 'bad-selector',
      message: `"${excerpt(text, 60)}" does not say where in the answer to look`,
      expected: 'a JSON Pointer (/predictions/0) or a plain JSONPath ($.predictions[0])',
      fix: 'Begin with / or $, and use names, indices and * only.',
    });
  }
  return (value) => walk(value, steps, 0);
}

function walk(value: unknown, steps: readonly Step[], at: number): unknown {
  const step = steps[at];
  if (step === undefined) return value;
  if ('every' in step) {
    if (!Array.isArray(value)) return walk(memberOf(value, '*'), steps, at + 1);
    const parts = value.map((each) => walk(each, steps, at + 1));
    return parts.every((part) => part !== undefined) ? parts : undefined;
  }
  if (value === undefined) return undefined;
  const next = Array.isArray(value)
    ? /^(0|[1-9]\d{0,15})$/.test(step.key)
      ? value[Number(step.key)]
      : undefined
    : memberOf(value, step.key);
  return walk(next, steps, at + 1);
}

function pointerSteps(text: string): readonly Step[] | undefined {
  if (text === '') return [];
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined;
  return text
    .slice(1)
    .split('/')
    .map((part) => (part === '*' ? { every: true } : { key: part.replaceAll('~1', '/').replaceAll('~0', '~') }));
}

const pathStep =
  /\.(?<name>[^.[\]'"\s]+)|\[(?<index>\d+)\]|\[(?<star>\*)\]|\['(?<quoted>[^']*)'\]|\["(?<double>[^"]*)"\]/y;

function pathSteps(text: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  pathStep.lastIndex = 1;
  while (pathStep.lastIndex < text.length) {
    const { groups } = pathStep.exec(text) ?? {};
    if (groups === undefined) return undefined;
    const key = groups['name'] ?? groups['index'] ?? groups['quoted'] ?? groups['double'];
    steps.push(key === undefined || groups['name'] === '*' ? { every: true } : { key });
  }
  return steps;
}
