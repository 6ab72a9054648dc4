import { describe, expect, test } from 'vitest';
import { committedConfig, templatesOf } from '../fixtures/synthesized-app.ts';
import { prices } from './prices.ts';
import { standingCost } from './standing-cost.ts';

describe('what stands and costs', () => {
  const templates = templatesOf(committedConfig());
  const of = (name: string) => standingCost(templates[name]?.toJSON() ?? {});

  test('is the instances of an endpoint, as many as there are to begin with', () => {
    expect(of('churn-staging-serving').items).toEqual([{ what: 'ml.m5.xlarge', count: 1, dollars: 0.23 }]);
    expect(of('churn-production-serving')).toEqual({
      items: [{ what: 'ml.m5.xlarge', count: 2, dollars: 0.46 }],
      atLeast: 0.46,
    });
  });

  test('is a control plane, its nodes and its way out; what has no price here is unknown, and no part of the sum', () => {
    const { items, atLeast } = of('churn-production-cluster');
    expect(Object.fromEntries(items.map(({ what, count, dollars }) => [what, [count, dollars]]))).toEqual({
      'EKS control plane': [1, 0.1],
      'NAT gateway': [1, 0.045],
      'public IPv4 address': [1, 0.005],
      'm7i.large': [2, undefined],
      'g6.2xlarge': [1, 0.9776],
    });
    expect(atLeast).toBeCloseTo(0.1 + 0.045 + 0.005 + 0.9776, 12);
  });

  test('is nothing where models are kept and trained', () => {
    expect(of('churn-production-storage').items).toEqual([]);
    expect(of('churn-production-training').items).toEqual([]);
  });

  test('every price says whose word it is', () => {
    for (const [what, { dollars, source }] of Object.entries(prices)) {
      expect(dollars, what).toBeGreaterThan(0);
      expect(source, what).toMatch(/\d{4}-\d{2}-\d{2}|[0-9a-f]{7}$/);
    }
  });
});
