import { describe, expect, it } from 'vitest';
import { classifierModel, linearModel } from '../../core/onnx/index.ts';
import { checkOf, csv, judge } from './scene.ts';

const judged = (guardrails: string, options: { readonly xs?: readonly number[]; readonly model?: Uint8Array } = {}) => {
  const xs = options.xs ?? [0, 1, 2, 3, 4];
  return judge({
    policy: [
      'version: 1',
      'model: { path: m.onnx, baseline: none }',
      'evaluation: { source: e.csv, target: y }',
      `gates: { guardrails: [${guardrails}] }`,
    ].join('\n'),
    files: {
      'm.onnx': options.model ?? linearModel([[2]], [0]),
      'e.csv': csv(
        ['x', 'y'],
        xs.map((x) => [x, 2 * x]),
      ),
    },
  });
};

describe('guardrails of the gate', () => {
  it('pass where every row keeps to them, both ends allowed', async () => {
    const judgement = await judged('{ output: Y, min: 0, max: 8, finite: true }');
    expect(checkOf(judgement, 'gate/guardrail/Y/min')).toMatchObject({ status: 'pass', observed: 0 });
    expect(checkOf(judgement, 'gate/guardrail/Y/max')).toMatchObject({ status: 'pass', observed: 8 });
    expect(checkOf(judgement, 'gate/guardrail/Y/finite').status).toBe('pass');
  });

  it('name the rows that break them, and show twenty of them', async () => {
    const judgement = await judged('{ output: Y, max: 5 }', { xs: Array.from({ length: 5000 }, (_, x) => x) });
    const { status, failing, message, place } = checkOf(judgement, 'gate/guardrail/Y/max');
    expect(status).toBe('fail');
    expect(failing?.total).toBe(4997);
    expect(failing?.rows).toHaveLength(20);
    expect(failing?.rows[0]).toEqual({ row: 4, values: ['6'] });
    expect(message).toContain('4,997 rows of 5000 break it; the first is row 4 with 6.');
    expect(place).toMatchObject({ key: 'gates.guardrails[0].max' });
  });

  it('hold on so many of the rows as mostly says, and not on one less', async () => {
    const just = await judged('{ output: Y, max: 7, mostly: 0.8 }');
    expect(checkOf(just, 'gate/guardrail/Y/max')).toMatchObject({ status: 'pass', failing: { total: 1 } });
    const less = await judged('{ output: Y, max: 5, mostly: 0.8 }');
    expect(checkOf(less, 'gate/guardrail/Y/max').status).toBe('fail');
  });

  it('only warn with severity warn', async () => {
    const judgement = await judged('{ output: Y, max: 5, severity: warn, reason: never seen higher }');
    const { status, message } = checkOf(judgement, 'gate/guardrail/Y/max');
    expect(status).toBe('warn');
    expect(message).toContain("The bound's reason: never seen higher.");
  });

  it('take one element of a row by its position or by the name of its class', async () => {
    const model = classifierModel([[0, 1, 2]], [0, 0, 0]);
    const policy = (element: string) => `{ output: probabilities, element: ${element}, min: 0.3 }`;
    const of = async (element: string) =>
      judge({
        policy: [
          'version: 1',
          'model: { path: m.onnx, baseline: none, task: classification, classes: [cat, dog, eel] }',
          'evaluation: { source: e.csv, target: y }',
          `gates: { guardrails: [${policy(element)}] }`,
        ].join('\n'),
        files: { 'm.onnx': model, 'e.csv': 'x,y\n0,cat\n3,eel\n' },
      });
    expect(checkOf(await of('0'), 'gate/guardrail/probabilities.0/min')).toMatchObject({
      status: 'fail',
      failing: { total: 1, rows: [{ row: 2 }] },
    });
    expect(checkOf(await of('eel'), 'gate/guardrail/probabilities.eel/min').status).toBe('pass');
    const unknown = checkOf(await of('eal'), 'gate/guardrail/probabilities.eal/min');
    expect(unknown.status).toBe('error');
    expect(unknown.message).toContain('Did you mean "eel"?');
    expect(checkOf(await of('3'), 'gate/guardrail/probabilities.3/min')).toMatchObject({ status: 'error' });
  });

  it('hold outputs to a list of values', async () => {
    const judgement = await judged('{ output: Y, values: [0, 2, 4, 6] }');
    expect(checkOf(judgement, 'gate/guardrail/Y/values')).toMatchObject({
      status: 'fail',
      failing: { total: 1, rows: [{ row: 5, values: ['8'] }] },
    });
  });

  it('of an output that the model does not have are an error', async () => {
    expect(checkOf(await judged('{ output: Z, min: 0 }'), 'gate/guardrail/Z/min')).toMatchObject({ status: 'error' });
  });
});
