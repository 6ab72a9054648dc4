import { Duration } from 'aws-cdk-lib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deploymentConfig, deploymentProblems, type EndpointDeployment } from './endpoint-deployment.ts';
import type { EndpointVariant } from './endpoint-variant.ts';
import { InferenceContainer } from './inference-container.ts';

const container = new InferenceContainer({ image: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn' });
const variant = (instanceCount: number): EndpointVariant => ({
  container,
  instanceType: 'ml.m5.large',
  instanceCount,
});

const seconds = (most: number) => fc.integer({ min: 0, max: most }).map((some) => Duration.seconds(some));
const optional = <Value>(of: fc.Arbitrary<Value>) => fc.option(of, { nil: undefined });
/** Without the keys that are not there, as users write it. */
const given = <Of extends object>(of: Of): Of =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as Of;

const deployments = fc
  .record({
    kind: fc.constantFrom('canary', 'linear', 'rolling', 'all-at-once'),
    percent: optional(fc.integer({ min: 0, max: 70 })),
    instances: optional(fc.integer({ min: 0, max: 12 })),
    bake: optional(seconds(5000)),
    terminationWait: optional(seconds(5000)),
    maxTime: optional(seconds(40_000)),
  })
  .map((all) => given(all) as EndpointDeployment);

describe('a deployment that is not refused', () => {
  test('is within what SageMaker takes, whatever it is', () => {
    let taken = 0;
    fc.assert(
      fc.property(
        deployments,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 60, max: 900 }),
        (deployment, count, ringsAfter) => {
          const variants = [variant(count)];
          const place = { kind: 'real-time', variants, shadow: false, alarms: 1, ringsAfter } as const;
          if (deploymentProblems(deployment, place).length > 0) return;
          taken++;
          const { blueGreenUpdatePolicy, rollingUpdatePolicy, autoRollbackConfiguration } = deploymentConfig(
            deployment,
            ['errors'],
            count,
          ) as {
            blueGreenUpdatePolicy?: {
              trafficRoutingConfiguration: { waitIntervalInSeconds: number; canarySize?: Size; linearStepSize?: Size };
              terminationWaitInSeconds: number;
              maximumExecutionTimeoutInSeconds: number;
            };
            rollingUpdatePolicy?: {
              maximumBatchSize: Size;
              waitIntervalInSeconds: number;
              maximumExecutionTimeoutInSeconds: number;
            };
            autoRollbackConfiguration?: unknown;
          };
          const policy = blueGreenUpdatePolicy ?? rollingUpdatePolicy;
          const routing = blueGreenUpdatePolicy?.trafficRoutingConfiguration;
          const wait = routing?.waitIntervalInSeconds ?? rollingUpdatePolicy?.waitIntervalInSeconds ?? Number.NaN;
          const size = routing?.canarySize ?? routing?.linearStepSize ?? rollingUpdatePolicy?.maximumBatchSize;
          expect(autoRollbackConfiguration).toEqual({ alarms: [{ alarmName: 'errors' }] });
          expect(wait).toBeGreaterThanOrEqual(deployment.kind === 'all-at-once' ? 0 : ringsAfter);
          expect(wait).toBeLessThanOrEqual(3600);
          expect(blueGreenUpdatePolicy?.terminationWaitInSeconds ?? 0).toBeLessThanOrEqual(3600);
          expect(policy?.maximumExecutionTimeoutInSeconds).toBeGreaterThanOrEqual(Math.max(600, wait));
          expect(policy?.maximumExecutionTimeoutInSeconds).toBeLessThanOrEqual(28_800);
          expect(size === undefined).toBe(deployment.kind === 'all-at-once');
          if (size !== undefined) {
            const most = size.type === 'CAPACITY_PERCENT' ? 50 : count / 2;
            expect(size.value).toBeLessThanOrEqual(most);
            expect(size.value).toBeGreaterThanOrEqual(1);
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(taken).toBeGreaterThan(50);
  });
});

interface Size {
  readonly type: string;
  readonly value: number;
}
