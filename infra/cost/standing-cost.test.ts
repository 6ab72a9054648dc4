import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { committedConfig, infra, templatesOf } from '../fixtures/synthesized-app.ts';
import { readConfig } from '../index.ts';
import { prices } from './prices.ts';
import { standingCost } from './standing-cost.ts';

describe('what stands and costs', () => {
  const example = (name: string) => templatesOf(readConfig(join(infra, 'examples', `${name}.yaml`)));
  const templates = { ...templatesOf(committedConfig()), ...example('serving-kinds'), ...example('batch') };
  const of = (name: string) => standingCost(templates[name]?.toJSON() ?? {});

  test('is the instances of an endpoint, as many as there are to begin with', () => {
    expect(of('churn-staging-serving').items).toEqual([{ what: 'ml.m5.xlarge', count: 1, dollars: 0.23 }]);
    expect(of('churn-production-serving')).toEqual({
      items: [{ what: 'ml.m5.xlarge', count: 2, dollars: 0.46 }],
      inUse: [],
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

  test('is every variant and the shadow; a queue that goes down to none and serverless containers cost while they are used', () => {
    const { items, inUse, atLeast } = of('shop-live-serving');
    expect(items).toEqual([
      // Two that serve and two of the shadow.
      { what: 'ml.m5.xlarge', count: 4, dollars: 0.92 },
      // Two of each variant.
      { what: 'ml.g5.xlarge', count: 4, dollars: 4 * 1.4084 },
      { what: 'serverless container of 4096 MB, kept ready', count: 2, dollars: undefined },
    ]);
    expect(inUse).toEqual([
      { what: 'ml.g5.xlarge', count: 1, when: 'while requests are in the queue', dollars: 1.4084 },
      { what: 'serverless container of 4096 MB', count: 20, when: 'while each of them answers', dollars: undefined },
    ]);
    expect(atLeast).toBeCloseTo(0.92 + 4 * 1.4084, 12);
  });

  test('is nothing of a batch that does not run, and its instances while it does', () => {
    expect(of('churn-nightly-batch')).toEqual({
      items: [],
      inUse: [
        { what: 'ml.m5.xlarge', count: 2, when: 'while a batch runs', dollars: 0.46 },
        { what: 'ml.g5.xlarge', count: 1, when: 'while a batch runs', dollars: 1.4084 },
      ],
      atLeast: 0,
    });
  });

  test('every price says whose word it is', () => {
    for (const [what, { dollars, source }] of Object.entries(prices)) {
      expect(dollars, what).toBeGreaterThan(0);
      expect(source, what).toMatch(/\d{4}-\d{2}-\d{2}|[0-9a-f]{7}$/);
    }
  });
});
