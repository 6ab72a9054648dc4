import { expect, it } from 'vitest';
import { PolicyError } from '../problem/index.ts';
import { parsePolicy } from './parse-policy.ts';

/** What every object of JavaScript answers to. */
const inherited = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', '__proto__'];
const whole = {
  version: 1,
  data: [{ source: 'a.csv', checks: [{ between: { column: 'a', min: 0 } }] }],
  model: { path: 'm.onnx', inputs: { X: ['a'] } },
  evaluation: { source: 't.csv', target: 'y' },
  gates: { accuracy: { min: 0.5 }, fairness: { group: 'a', accuracy_difference: { max: 0.1 } } },
  drift: { reference: 'a.csv', psi: { fail: 0.2 } },
};
const places: readonly (readonly (string | number)[])[] = [
  [],
  ['data', 0],
  ['data', 0, 'checks', 0],
  ['data', 0, 'checks', 0, 'between'],
  ['model'],
  ['evaluation'],
  ['gates'],
  ['gates', 'accuracy'],
  ['gates', 'fairness'],
  ['drift'],
  ['drift', 'psi'],
];

it.each(inherited.flatMap((key) => places.map((place) => [key, place] as const)))(
  'a key %s at %j is refused with its place, alone and beside others',
  (key, place) => {
    for (const alone of [true, false]) {
      const policy = structuredClone(whole) as Record<string, unknown>;
      let at: Record<string, unknown> = policy;
      for (const step of place) at = at[step] as Record<string, unknown>;
      if (alone && place.length > 0) for (const known of Object.keys(at)) delete at[known];
      Object.defineProperty(at, key, { value: { min: 1 }, enumerable: true });
      const refused = (() => {
        try {
          return parsePolicy(JSON.stringify(policy), 'sluice.yaml');
        } catch (error) {
          return error;
        }
      })();
      if (!(refused instanceof PolicyError)) throw refused;
      expect(refused.message).toContain(key);
    }
  },
);
