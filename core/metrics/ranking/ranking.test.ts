import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type MetricOptions, pick, type RankingSample, rankingMetrics } from '../index.ts';

interface RankingCase {
  readonly kind: string;
  readonly starts: number[];
  readonly relevance: number[];
  readonly scores: number[];
  readonly weights: number[];
  readonly values: Record<string, number | null>;
}
const reference: { readonly ranking: RankingCase[] } = JSON.parse(
  readFileSync(new URL('../reference/reference.json', import.meta.url), 'utf8'),
);

function sampleOf(of: RankingCase): RankingSample {
  return {
    task: 'ranking',
    queries: of.weights.length,
    starts: Int32Array.from(of.starts),
    relevance: Float64Array.from(of.relevance),
    scores: Float64Array.from(of.scores),
  };
}

function optionsIn(key: string): MetricOptions {
  const [, k] = key.split('/k=');
  return k === undefined ? {} : { k: Number(k) };
}

describe('metrics of rankings', () => {
  it.each(Object.keys(rankingMetrics) as (keyof typeof rankingMetrics)[])(
    '%s equals its reference, with queries weighted and written out',
    (name) => {
      let compared = 0;
      for (const [index, of] of reference.ranking.entries()) {
        const sample = sampleOf(of);
        const queries = of.weights.flatMap((weight, query) => new Array<number>(weight).fill(query));
        for (const [key, expected] of Object.entries(of.values)) {
          if (key.split('/')[0] !== name || expected === null) continue;
          const measure = rankingMetrics[name].on(sample, optionsIn(key));
          const context = `case ${index} (${of.kind}) ${key}`;
          expect(Math.abs(measure(of.weights) - expected), context).toBeLessThanOrEqual(1e-9);
          const written = rankingMetrics[name].on(pick(sample, queries), optionsIn(key))();
          expect(Math.abs(written - expected), `${context}, written out`).toBeLessThanOrEqual(1e-9);
          compared++;
        }
      }
      expect(compared).toBeGreaterThanOrEqual(150);
    },
  );
});
