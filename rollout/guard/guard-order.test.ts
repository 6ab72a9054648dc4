import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../core/problem/index.ts';
import type { KubernetesTraffic } from '../traffic/kubernetes-traffic.ts';
import { guardArguments, parseGuardOrder } from './guard-order.ts';

const traffic: KubernetesTraffic = {
  provider: 'gateway-api',
  namespace: 'shop',
  httpRoute: 'churn',
  baseline: 'churn-v1',
  canary: 'churn-v2',
};

describe('the order of a guard', () => {
  test('is read as it was written, whatever the rollout is called', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.integer({ min: 1000 }), (rolloutId, leaseMs) => {
        const order = { rolloutId, traffic, leaseMs };
        const [canary, guard, flag, json = ''] = guardArguments(order);
        expect([canary, guard, flag]).toEqual(['canary', 'guard', '--order']);
        expect(parseGuardOrder(json)).toEqual(order);
      }),
    );
  });

  test.each([
    ['', 'nothing'],
    ['{', 'half of one'],
    ['null', 'null'],
    [JSON.stringify({ rolloutId: '', traffic, leaseMs: 1000 }), 'no id'],
    [JSON.stringify({ rolloutId: 'r', traffic, leaseMs: 5 }), 'a lease that is none'],
    [JSON.stringify({ rolloutId: 'r', traffic, leaseMs: 1000, image: 'x' }), 'more than there is'],
    [JSON.stringify({ rolloutId: 'r', traffic: { ...traffic, namespace: '../kube-system' }, leaseMs: 1000 }), 'a path'],
    [
      JSON.stringify({ rolloutId: 'r', traffic: { ...traffic, httpRoute: 'a\nb' }, leaseMs: 1000 }),
      'a name of two lines',
    ],
    [JSON.stringify({ rolloutId: 'r', traffic: { provider: 'local' }, leaseMs: 1000 }), 'another provider'],
  ])('%s is refused: it has %s', (json) => {
    let thrown: unknown;
    try {
      parseGuardOrder(json);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InputError);
    expect((thrown as InputError).problems[0]).toMatchObject({
      code: 'bad-guard-order',
      fix: expect.stringMatching(/\S/),
    });
    expect((thrown as InputError).problems[0].found).not.toContain('\n');
  });
});
