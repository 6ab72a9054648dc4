import { describe, expect, it } from 'vitest';
import { parsePolicy } from './parse-policy.ts';
import { stricterOf } from './stricter-policy.ts';

const policy = (custom: string, more: { readonly model?: string; readonly evaluation?: string } = {}) =>
  parsePolicy(
    [
      'version: 1',
      `model: { path: m.onnx${more.model ?? ''} }`,
      `evaluation: { source: t.csv, target: y${more.evaluation ?? ''} }`,
      `gates: { custom: [${custom}] }`,
    ].join('\n'),
    'sluice.yaml',
  );
const merged = (base: string, head: string) => {
  const { policy: effective, differences } = stricterOf(policy(base), policy(head));
  return {
    custom: effective.gates?.custom,
    told: differences.map(({ key, base: of, head: by, effective: wins }) => `${key}: ${of} -> ${by} = ${wins}`),
  };
};
const cost = (rest: string, mean = 'a') => `{ name: cost, mean: ${mean}, better: lower, ${rest} }`;

describe("a pull request's change of a custom metric", () => {
  it('may tighten a bound and not loosen it', () => {
    expect(merged(cost('max: 2, max_regression: 0.1'), cost('max: 3, max_regression: 0.05'))).toEqual({
      custom: [{ name: 'cost', mean: 'a', better: 'lower', max: 2, max_regression: 0.05 }],
      told: ['gates.custom[cost].max: 2 -> 3 = base', 'gates.custom[cost].max_regression: 0.1 -> 0.05 = head'],
    });
  });

  it('of its expression is shown, and judged by the base as a whole until the merge', () => {
    expect(merged(cost('max: 2'), cost('max: 0.5, min: 0.1', 'b'))).toEqual({
      custom: [{ name: 'cost', mean: 'a', better: 'lower', max: 2 }],
      told: [
        'gates.custom[cost].mean: a -> b = base',
        'gates.custom[cost].min: undefined -> 0.1 = base',
        'gates.custom[cost].max: 2 -> 0.5 = base',
      ],
    });
  });

  it('of its direction is judged by the base', () => {
    const { custom } = merged(cost('max: 2'), cost('max: 2').replace('lower', 'higher'));
    expect(custom).toMatchObject([{ better: 'lower' }]);
  });

  it('may add one, and takes none away', () => {
    const other = '{ name: gain, mean: b, better: higher, min: 1 }';
    const { custom, told } = merged(cost('max: 2'), other);
    expect(custom?.map(({ name }) => name)).toEqual(['cost', 'gain']);
    expect(told).toHaveLength(2);
  });
});

describe('a custom metric is refused', () => {
  it.each([
    [cost('severity: warn'), {}, 'demands nothing'],
    [cost('min: 3, max: 2'), {}, 'min is above max'],
    [`${cost('max: 2')}, ${cost('max: 3')}`, {}, 'two custom metrics have this name'],
    [cost('max_regression: 0.1'), { model: ', baseline: none' }, 'model.baseline is none'],
    [cost('max: 2'), { evaluation: ', query: q' }, 'rankings'],
    ['{ name: cost, mean: a, max: 2 }', {}, 'better'],
    ['{ name: "a b", mean: a, better: lower, max: 2 }', {}, 'a letter, then letters, digits and _'],
  ])('%s', (custom, more, words) => {
    expect(() => policy(custom, more)).toThrow(words);
  });
});
