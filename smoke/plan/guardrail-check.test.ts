import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../core/onnx/index.ts';
import type { Guardrail } from '../../core/policy/index.ts';
import type { AnsweredCase } from './golden-answers.ts';
import { guardrailChecks } from './guardrail-check.ts';

const row = (number: number, speed: Tensor): AnsweredCase => ({
  row: number,
  feeds: {},
  expected: { speed },
  served: { speed },
  milliseconds: 1,
});
const floats = (...data: readonly number[]): Tensor => ({
  type: 'float32',
  dims: [data.length],
  data: Float32Array.from(data),
});
const judge = (guardrail: Omit<Guardrail, 'output'>, answered: readonly AnsweredCase[], output = 'speed') =>
  guardrailChecks(
    { output, ...guardrail },
    answered,
    { outputs: ['speed', 'lane'], classes: ['low', 'high'] },
    (key) => ({ key }),
  );

describe('guardrails', () => {
  test('hold every value that is served, both ends allowed', () => {
    const answered = [row(1, floats(0, 60)), row(2, floats(120))];
    expect(judge({ min: 0, max: 120, finite: true }, answered)).toMatchObject([
      { id: 'smoke/guardrail/speed/min', status: 'pass', observed: 0, place: { key: 'min' } },
      { id: 'smoke/guardrail/speed/max', status: 'pass', observed: 120 },
      { id: 'smoke/guardrail/speed/finite', status: 'pass' },
    ]);
  });

  test('show the rows that break them', () => {
    const [check] = judge({ max: 100 }, [row(1, floats(10)), row(7, floats(60, 130)), row(9, floats(140))]);
    expect(check).toMatchObject({
      status: 'fail',
      observed: 140,
      failing: {
        total: 2,
        columns: ['speed'],
        rows: [
          { row: 7, values: ['130'] },
          { row: 9, values: ['140'] },
        ],
      },
    });
    expect(check?.message).toContain('2 answers of 3 break it; the first is row 7 with 130.');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('%s is not finite, and breaks a bound too', (value) => {
    const answered = [row(1, floats(1, value))];
    expect(judge({ finite: true }, answered)).toMatchObject([{ status: 'fail' }]);
    expect(judge({ max: 5 }, answered)).toMatchObject([{ status: 'fail' }]);
  });

  test('hold 64-bit integers', () => {
    const whole: Tensor = { type: 'int64', dims: [2], data: BigInt64Array.of(3n, 9n) };
    expect(judge({ min: 4 }, [row(1, whole)])).toMatchObject([{ status: 'fail', observed: 3 }]);
  });

  test('of an output that nobody has, or of text, are an error and never a pass', () => {
    const [unknown] = judge({ min: 0 }, [row(1, floats(1))], 'sped');
    expect(unknown).toMatchObject({ status: 'error' });
    expect(unknown?.message).toContain('Did you mean "speed"?');
    const text: Tensor = { type: 'string', dims: [1], data: ['fast'] };
    expect(judge({ min: 0 }, [row(1, text)])).toMatchObject([{ status: 'error' }]);
    expect(judge({ min: 0 }, [row(1, floats(1))], 'lane')).toMatchObject([{ status: 'error' }]);
  });

  test('with severity warn only warn, and without an answer are skipped', () => {
    expect(judge({ max: 1, severity: 'warn' }, [row(1, floats(2))])).toMatchObject([{ status: 'warn' }]);
    expect(judge({ max: 1 }, [])).toMatchObject([{ status: 'skipped' }]);
  });
});
