import { expect, test } from 'vitest';
import { comparedMetricsOf } from './comparison.ts';
import { failedReport } from './fixture-reports.ts';

test('each metric of the whole set stands once beside the baseline; slices do not', () => {
  expect(comparedMetricsOf(failedReport)).toEqual([
    { name: 'accuracy', candidate: '0.8699', baseline: '0.9508', change: '−0.0809' },
    { name: 'roc_auc', candidate: '0.9731', baseline: '0.9898', change: '−0.0167' },
    { name: 'latency p95_ms', candidate: '12.3 ms', baseline: '11.9 ms', change: '+0.470 ms' },
  ]);
});
