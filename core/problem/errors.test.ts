import { describe, expect, test } from 'vitest';
import * as problem from './index.ts';

const { SluiceError } = problem;
const kinds = Object.entries(problem).filter(
  (entry): entry is [string, typeof SluiceError] =>
    entry[1] === SluiceError || (typeof entry[1] === 'function' && entry[1].prototype instanceof SluiceError),
);

describe('the errors', () => {
  test('are seven', () => {
    expect(kinds).toHaveLength(7);
  });

  test.each(kinds)('%s is called so wherever it is bundled', (name, Kind) => {
    // What a minifier does to a class.
    const Renamed = { t: class extends Kind {} }.t;
    for (const error of [new Kind({ code: 'c', message: 'm' }), new Renamed({ code: 'c', message: 'm' })]) {
      expect(error.name).toBe(name);
      expect(String(error)).toBe(`${name}: m.`);
    }
  });

  test('tell every problem, a line each', () => {
    const error = new SluiceError([
      { code: 'a', message: 'one', fix: 'Mend it.' },
      { code: 'b', message: 'two', place: { file: 'f', line: 3 }, found: '1', expected: '2' },
    ]);
    expect(error.message).toBe('one. Mend it.\nf:3: two: found 1, expected 2.');
    expect(error.problems.map(({ code }) => code)).toEqual(['a', 'b']);
  });
});
