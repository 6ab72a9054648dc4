import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Average, type MetricOptions, type MultiLabelSample, multiLabelMetrics, pick } from '../index.ts';

interface MultiLabelCase {
  readonly kind: string;
  readonly labels: number;
  readonly actual: number[];
  readonly predicted: number[];
  readonly scores: number[];
  readonly weights: number[];
  readonly values: Record<string, number | null>;
}
const reference: { readonly multilabel: MultiLabelCase[] } = JSON.parse(
  readFileSync(new URL('../reference/reference.json', import.meta.url), 'utf8'),
);

function sampleOf(of: MultiLabelCase): MultiLabelSample {
  return {
    task: 'multilabel',
    rows: of.weights.length,
    labels: Array.from({ length: of.labels }, (_, index) => `label ${index}`),
    actual: Uint8Array.from(of.actual),
    predicted: Uint8Array.from(of.predicted),
    scores: Float64Array.from(of.scores),
  };
}

function optionsIn(key: string): MetricOptions {
  const [, said] = key.split('/');
  if (said === undefined) return {};
  const [, index] = said.split('=');
  return index === undefined ? { average: said as Average } : { ofClass: Number(index) };
}

it.each(Object.keys(multiLabelMetrics) as (keyof typeof multiLabelMetrics)[])(
  '%s of several labels equals scikit-learn, weighted and with rows written out',
  (name) => {
    let compared = 0;
    for (const [index, of] of reference.multilabel.entries()) {
      const sample = sampleOf(of);
      const rows = of.weights.flatMap((weight, row) => new Array<number>(weight).fill(row));
      for (const [key, expected] of Object.entries(of.values)) {
        if (key.split('/')[0] !== name || expected === null) continue;
        const context = `case ${index} (${of.kind}) ${key}`;
        const metric = multiLabelMetrics[name];
        expect(Math.abs(metric.on(sample, optionsIn(key))(of.weights) - expected), context).toBeLessThanOrEqual(1e-9);
        const written = metric.on(pick(sample, rows), optionsIn(key))();
        expect(Math.abs(written - expected), `${context}, written out`).toBeLessThanOrEqual(1e-9);
        compared++;
      }
    }
    expect(compared).toBeGreaterThanOrEqual(120);
  },
);

it('takes the average over labels when the policy gives none, and knows no binary one', () => {
  for (const of of reference.multilabel) {
    expect(multiLabelMetrics.f1.on(sampleOf(of))(of.weights)).toBeCloseTo(of.values['f1/macro'] ?? Number.NaN, 12);
    expect(multiLabelMetrics.f1.on(sampleOf(of), { average: 'binary' })()).toBeNaN();
  }
});
