import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Average,
  type DisparityName,
  disparities,
  disparityOf,
  type LabelSample,
  labelMetrics,
  type MetricName,
  type MetricOptions,
  metrics,
  ratesByGroup,
  type ValueSample,
  valueMetrics,
} from './index.ts';

interface LabelCase {
  readonly kind: string;
  readonly classes: string[];
  readonly positive: number;
  readonly actual: number[];
  readonly predicted: number[];
  readonly probabilities: number[];
  readonly weights: number[];
  readonly values: Record<string, number | null>;
}
interface ValueCase {
  readonly kind: string;
  readonly actual: number[];
  readonly predicted: number[];
  readonly weights: number[];
  readonly values: Record<string, number | null>;
}
interface FairnessCase {
  readonly task: 'classification' | 'regression';
  readonly groups: number[];
  readonly count: number;
  readonly actual: number[];
  readonly predicted: number[];
  readonly values: Record<DisparityName, number | null>;
}
const reference: {
  readonly versions: Record<string, string>;
  readonly classification: LabelCase[];
  readonly regression: ValueCase[];
  readonly fairness: FairnessCase[];
} = JSON.parse(readFileSync(new URL('./reference/reference.json', import.meta.url), 'utf8'));

function labelSample(of: LabelCase): LabelSample {
  return {
    task: 'classification',
    classes: of.classes,
    positive: of.positive,
    actual: Int32Array.from(of.actual),
    predicted: Int32Array.from(of.predicted),
    probabilities: Float64Array.from(of.probabilities),
  };
}

function valueSample(of: Pick<ValueCase, 'actual' | 'predicted'>): ValueSample {
  return { task: 'regression', actual: Float64Array.from(of.actual), predicted: Float64Array.from(of.predicted) };
}

/** Rows written out as often as they count. */
function repeated(of: LabelCase): LabelCase {
  const rows = of.weights.flatMap((weight, row) => new Array<number>(weight).fill(row));
  const width = of.classes.length;
  return {
    ...of,
    actual: rows.map((row) => of.actual[row] ?? 0),
    predicted: rows.map((row) => of.predicted[row] ?? 0),
    probabilities: rows.flatMap((row) => of.probabilities.slice(row * width, (row + 1) * width)),
  };
}

/** `f1/macro`, `cohen_kappa/weights=linear`, `roc_auc/multiClass=ovo,average=macro`. */
function optionsIn(key: string): MetricOptions {
  const [, said] = key.split('/');
  if (said === undefined) return {};
  if (!said.includes('=')) return { average: said as Average };
  const entries = said.split(',').map((each): [string, string | number] => {
    const [name = '', value = ''] = each.split('=');
    return [name, /^\d+$/.test(value) ? Number(value) : value];
  });
  return Object.fromEntries(entries) as MetricOptions;
}

function expectClose(found: number, expected: number | null, context: string): void {
  if (expected === null) expect(found, context).toBeNaN();
  else expect(Math.abs(found - expected), context).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)));
}

describe('metrics of labels and probabilities', () => {
  it.each(Object.keys(labelMetrics) as (keyof typeof labelMetrics)[])('%s equals scikit-learn', (name) => {
    let compared = 0;
    for (const [index, of] of reference.classification.entries()) {
      for (const [key, expected] of Object.entries(of.values)) {
        const [metric] = key.split('/');
        if (metric !== name) continue;
        const options = optionsIn(key);
        const context = `case ${index} (${of.kind}) ${key}`;
        expectClose(labelMetrics[name].on(labelSample(of), options)(of.weights), expected, context);
        expectClose(
          labelMetrics[name].on(labelSample(repeated(of)), options)(),
          expected,
          `${context}, rows written out`,
        );
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(80);
  });

  it('averages over two classes as binary and over more as macro when the policy gives no average', () => {
    for (const of of reference.classification) {
      const key = of.classes.length === 2 ? 'f1/binary' : 'f1/macro';
      expectClose(metrics.f1.on(labelSample(of))(of.weights), of.values[key] ?? null, key);
    }
  });

  it('gives counts whose share is the metric wherever it claims to be a proportion', () => {
    let proportions = 0;
    for (const of of reference.classification) {
      for (const name of ['accuracy', 'precision', 'recall', 'f1', 'jaccard', 'top_k_accuracy'] as const) {
        for (const average of ['binary', 'macro', 'micro', 'weighted'] as const) {
          const counts = metrics[name].proportion?.(labelSample(of), { average });
          if (counts === undefined) continue;
          expectClose(counts.successes / counts.trials, metrics[name].on(labelSample(of), { average })(), name);
          proportions++;
        }
      }
    }
    expect(proportions).toBeGreaterThan(500);
  });

  it("gives DeLong's area equal to the metric, for many classes too", () => {
    for (const of of reference.classification) {
      const sample = labelSample(of);
      const area = metrics.roc_auc.on(sample)();
      expectClose(metrics.roc_auc.curve?.(sample)?.area ?? 0, Number.isNaN(area) ? null : area, of.kind);
    }
  });

  it('takes a row of weight 0 as not there', () => {
    for (const of of reference.classification.filter(({ actual }) => actual.length > 10)) {
      const weights = of.weights.map((weight, row) => (row % 3 === 0 ? 0 : weight));
      for (const metric of Object.values(labelMetrics)) {
        const without = metric.on(labelSample(repeated({ ...of, weights })))();
        expectClose(metric.on(labelSample(of))(weights), Number.isNaN(without) ? null : without, metric.name);
      }
    }
  });

  it('is not defined rather than zero or one where a ranking lacks a class', () => {
    const sample: LabelSample = {
      task: 'classification',
      classes: ['0', '1'],
      actual: Int32Array.of(0, 0),
      predicted: Int32Array.of(0, 1),
      probabilities: Float64Array.of(0.9, 0.1, 0.2, 0.8),
    };
    expect(metrics.roc_auc.on(sample)()).toBeNaN();
    expect(metrics.average_precision.on(sample)()).toBeNaN();
  });

  it('is not defined as a binary average over three classes', () => {
    const sample: LabelSample = {
      task: 'classification',
      classes: ['a', 'b', 'c'],
      actual: Int32Array.of(0, 1, 2),
      predicted: Int32Array.of(0, 1, 2),
    };
    expect(metrics.precision.on(sample, { average: 'binary' })()).toBeNaN();
  });

  it('stays in its range for any labels and probabilities', () => {
    const row = fc.record({ actual: fc.nat(2), predicted: fc.nat(2), odds: fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)) });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
        const sample: LabelSample = {
          task: 'classification',
          classes: ['a', 'b', 'c'],
          actual: Int32Array.from(rows, ({ actual }) => actual),
          predicted: Int32Array.from(rows, ({ predicted }) => predicted),
          probabilities: Float64Array.from(
            rows.flatMap(({ odds }) => odds.map((part) => (part + 0.1) / (odds[0] + odds[1] + odds[2] + 0.3))),
          ),
        };
        for (const metric of Object.values(labelMetrics)) {
          const value = metric.on(sample)();
          if (Number.isNaN(value)) continue;
          expect(value).toBeGreaterThanOrEqual(metric.range[0] - 1e-12);
          expect(value).toBeLessThanOrEqual(metric.range[1] + 1e-12);
        }
      }),
    );
  });
});

describe('metrics of values', () => {
  it.each(Object.keys(valueMetrics) as (keyof typeof valueMetrics)[])('%s equals scikit-learn', (name) => {
    for (const [index, of] of reference.regression.entries()) {
      const expected = of.values[name] ?? null;
      expectClose(valueMetrics[name].on(valueSample(of))(of.weights), expected, `case ${index} (${of.kind})`);
    }
  });

  it('knows a constant target whose mean is a hair off', () => {
    const constant = new Array<number>(10).fill(0.1);
    expect(metrics.r2.on(valueSample({ actual: constant, predicted: constant }))()).toBe(1);
    expect(metrics.r2.on(valueSample({ actual: constant, predicted: constant.map((value) => value + 1) }))()).toBe(0);
  });

  it('has a largest error that is NaN, never a number, when a prediction is', () => {
    expect(metrics.max_error.on(valueSample({ actual: [1, 2, 3], predicted: [1, Number.NaN, 9] }))()).toBeNaN();
  });
});

describe('disparities of groups', () => {
  it('equal Fairlearn', () => {
    const seen = new Set<string>();
    for (const of of reference.fairness) {
      const sample =
        of.task === 'regression'
          ? valueSample(of)
          : ({
              task: 'classification',
              classes: ['0', '1'],
              positive: 1,
              actual: Int32Array.from(of.actual),
              predicted: Int32Array.from(of.predicted),
            } as const);
      for (const [name, expected] of Object.entries(of.values) as [DisparityName, number | null][]) {
        const disparity = disparities[name];
        const rates = ratesByGroup(sample, Int32Array.from(of.groups), of.count, disparity.rates);
        expectClose(disparityOf(disparity, rates()), expected, name);
        seen.add(name);
      }
    }
    expect([...seen].sort()).toEqual(Object.keys(disparities).sort());
  });

  it('leave a group out of a rate it has no rows for, and are undefined with one group left', () => {
    expect(disparityOf({ compare: 'difference' }, [Float64Array.of(0.4, Number.NaN, 0.5)])).toBeCloseTo(0.1, 12);
    expect(disparityOf({ compare: 'difference' }, [Float64Array.of(0.4, Number.NaN)])).toBeNaN();
    expect(disparityOf({ compare: 'ratio' }, [Float64Array.of(0, 0)])).toBeNaN();
  });

  it('measure weighted rows as rows written out', () => {
    const sample: LabelSample = {
      task: 'classification',
      classes: ['0', '1'],
      positive: 1,
      actual: Int32Array.of(1, 1, 0, 1),
      predicted: Int32Array.of(1, 0, 0, 1),
    };
    const rates = ratesByGroup(sample, Int32Array.of(0, 0, 1, 1), 2, ['accuracy', 'selection_rate']);
    expect(rates([3, 1, 1, 1]).map((values) => [...values])).toEqual([
      [0.75, 1],
      [0.75, 0.5],
    ]);
  });
});

it('describes every metric under its own name', () => {
  for (const name of Object.keys(metrics) as MetricName[]) expect(metrics[name].name).toBe(name);
});
