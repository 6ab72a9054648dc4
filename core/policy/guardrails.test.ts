import { describe, expect, it } from 'vitest';
import { parsePolicy } from './parse-policy.ts';
import { stricterOf } from './stricter-policy.ts';

const policy = (guardrails: string, evaluation = 'evaluation: { source: e.csv, target: y }') =>
  parsePolicy(
    ['version: 1', 'model: { path: m.onnx }', evaluation, `gates: { guardrails: [${guardrails}] }`].join('\n'),
    'sluice.yaml',
  );

const merged = (base: string, head: string) => {
  const { policy: effective, differences } = stricterOf(policy(base), policy(head));
  return {
    guardrails: effective.gates?.guardrails,
    told: differences.map((each) => `${each.key}: ${each.base} -> ${each.head} = ${each.effective}`),
  };
};

describe("a pull request's change of a guardrail", () => {
  it('counts where it is stricter, bound by bound', () => {
    expect(merged('{ output: p, min: 0, max: 1 }', '{ output: p, min: 0.1, max: 2, finite: true }')).toEqual({
      guardrails: [{ output: 'p', min: 0.1, max: 1, finite: true }],
      told: [
        'gates.guardrails[p].min: 0 -> 0.1 = head',
        'gates.guardrails[p].max: 1 -> 2 = base',
        'gates.guardrails[p].finite: undefined -> true = head',
      ],
    });
  });

  it('does not count where it lets more rows through, or takes a guardrail away', () => {
    const { guardrails } = merged('{ output: p, max: 1 }, { output: q, max: 1 }', '{ output: p, max: 1, mostly: 0.5 }');
    expect(guardrails).toEqual([
      { output: 'p', max: 1 },
      { output: 'q', max: 1 },
    ]);
  });

  it('keeps elements of one output apart', () => {
    const { guardrails } = merged('{ output: p, element: 0, max: 1 }', '{ output: p, element: 1, max: 2 }');
    expect(guardrails).toHaveLength(2);
  });

  it('counts where it lists fewer values, and waits where it lists others', () => {
    const values = (base: string, head: string) =>
      merged(`{ output: p, values: ${base} }`, `{ output: p, values: ${head} }`).guardrails?.[0]?.values;
    expect(values('[0, 1, 2]', '[0, 1]')).toEqual([0, 1]);
    expect(values('[0, 1]', '[0, 1, 2]')).toEqual([0, 1]);
    expect(values('[0, 1]', '[0, 3]')).toEqual([0, 1]);
  });
});

describe('a guardrail is refused', () => {
  it.each([
    ['output: p', 'the guardrail demands nothing'],
    ['{ output: p, min: 2, max: 1 }', 'min is above max'],
    ['{ output: p, min: 0, values: [1] }', 'min has no effect beside values'],
    ['{ output: p, min: 0 }, { output: p, max: 1 }', '"p" already has a guardrail above'],
    ['{ output: p, elment: 0, min: 0 }', 'element'],
  ])('%s', (guardrails, words) => {
    expect(() => policy(guardrails)).toThrow(words);
  });

  it('without rows to hold', () => {
    expect(() => policy('{ output: p, min: 0 }', '')).toThrow('the gate "guardrails" needs rows to judge on');
  });
});
