import { describe, expect, test } from 'vitest';
import { standInCredentials } from '../aws/api-stand-in.ts';
import { metricsConformance } from '../conformance.ts';
import { type CloudWatchOptions, openCloudWatch } from './cloudwatch.ts';
import { CloudWatchStandIn } from './cloudwatch-stand-in.ts';

const arms = { canary: CloudWatchStandIn.of('churn', 'green'), baseline: CloudWatchStandIn.of('churn', 'blue') };

async function begin(more: Partial<CloudWatchOptions> = {}) {
  const cloudwatch = new CloudWatchStandIn();
  const aws = await cloudwatch.start();
  const source = openCloudWatch({
    region: 'eu-west-1',
    credentials: async () => standInCredentials,
    endpoint: aws.url,
    endpointName: 'churn',
    canary: { variant: 'green' },
    baseline: { variant: 'blue' },
    patienceMs: 300,
    ...more,
  });
  return {
    cloudwatch,
    aws,
    source,
    send: async (arm: 'canary' | 'baseline', requests: number, failing?: number) => {
      cloudwatch.invoke(arms[arm], requests, failing);
    },
    fail: (how: 'is-gone' | 'fails' | 'babbles' | 'hangs') => aws.fail(how),
    // The deadline of an answer is fifteen seconds, and a look has its own.
    without: ['hangs'] as const,
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await aws[Symbol.asyncDispose]();
      expect(aws.faults).toEqual([]);
    },
  };
}

metricsConformance('cloudwatch', begin);

describe('CloudWatch’s metrics of an endpoint', () => {
  test('make a histogram of counts, with the edges asked for', async () => {
    await using stage = await begin({ edgesMs: [10, 50, 200] });
    stage.cloudwatch.invoke(arms.canary, 8, 0, [5, 10, 10.001, 50, 51, 200, 201, 9000]);
    const { canary } = await stage.source.read();
    expect(canary[0]?.latency).toEqual({
      edges: [0.01, 0.05, 0.2, Number.POSITIVE_INFINITY],
      cumulative: [2, 4, 6, 8],
    });
    const call = stage.aws.calls.at(-1);
    expect(JSON.stringify(call?.input)).toContain('"Stat":"TC(:200000)"');
    expect(JSON.stringify(call?.input)).not.toMatch(/p\d\d|PR\(/);
  });

  test('count what comes late when it comes', async () => {
    await using stage = await begin();
    await stage.send('canary', 10);
    const late = stage.cloudwatch.now;
    await stage.send('canary', 10);
    const before = (await stage.source.read()).canary[0];
    stage.cloudwatch.invoke(arms.canary, 4, 4, [20], late);
    stage.cloudwatch.now += 60_000;
    const after = (await stage.source.read()).canary[0];
    expect([before?.requests, after?.requests, before?.errors, after?.errors]).toEqual([20, 24, 0, 4]);
    expect((after?.at ?? 0) - (before?.at ?? 0)).toBe(60_000);
  });

  test('of a minute that is not over are left for the next look', async () => {
    await using stage = await begin();
    await stage.send('canary', 3);
    stage.cloudwatch.invoke(arms.canary, 5, 0, [20], stage.cloudwatch.now + 1);
    expect((await stage.source.read()).canary[0]?.requests).toBe(3);
    stage.cloudwatch.now += 60_000;
    expect((await stage.source.read()).canary[0]?.requests).toBe(8);
  });

  test('say of an arm that nothing was ever invoked, which is not "zero errors"', async () => {
    await using stage = await begin();
    await stage.send('baseline', 3);
    const { canary, remarks } = await stage.source.read();
    expect(canary).toEqual([]);
    expect(remarks).toEqual(['CloudWatch has no invocation of the canary (green) yet.']);
  });

  test('tell both fleets of a guarded deployment apart by their configuration', async () => {
    await using stage = await begin({
      canary: { variant: 'AllTraffic', endpointConfig: 'churn-2' },
      baseline: { variant: 'AllTraffic', endpointConfig: 'churn-1' },
    });
    stage.cloudwatch.invoke(CloudWatchStandIn.of('churn', 'AllTraffic', 'churn-2'), 7, 2);
    stage.cloudwatch.invoke(CloudWatchStandIn.of('churn', 'AllTraffic', 'churn-1'), 90, 1);
    const { canary, baseline } = await stage.source.read();
    expect([canary[0]?.requests, canary[0]?.errors, baseline[0]?.requests]).toEqual([7, 2, 90]);
    expect(canary[0]?.id).toMatch(/^AllTraffic of churn-2 since /);
  });

  test('are read page by page', async () => {
    await using stage = await begin();
    stage.cloudwatch.pageSize = 3;
    for (const requests of [3, 4, 5]) await stage.send('canary', requests);
    await stage.send('baseline', 9);
    const { canary, baseline } = await stage.source.read();
    expect([canary[0]?.requests, baseline[0]?.requests]).toEqual([12, 9]);
    expect(canary[0]?.latency?.cumulative.at(-1)).toBe(12);
  });

  test('are asked for by AWS’s clock', async () => {
    await using stage = await begin();
    stage.cloudwatch.now = Date.now() + 7_200_000;
    await stage.send('canary', 3);
    const { canary } = await stage.source.read();
    expect(canary[0]).toMatchObject({ requests: 3, at: Math.floor(stage.cloudwatch.now / 60_000) * 60_000 });
  });

  test('are asked for by AWS’s clock also where this machine’s is far ahead', async () => {
    await using stage = await begin();
    stage.cloudwatch.now = Date.now() - 7_200_000;
    await stage.send('canary', 3);
    expect((await stage.source.read()).canary[0]?.requests).toBe(3);
  });

  test('have no histogram where CloudWatch counts nothing below any edge', async () => {
    await using stage = await begin({ edgesMs: [10] });
    stage.cloudwatch.invoke(arms.canary, 8, 0, [5]);
    stage.cloudwatch.withoutTrimmedCounts = true;
    const { canary, remarks } = await stage.source.read();
    expect(canary[0]).toMatchObject({ requests: 8 });
    expect(canary[0]?.latency).toBeUndefined();
    expect(remarks).toContain('CloudWatch counts no latency of the canary: it is left out.');
  });

  test('that CloudWatch has only in part are no reading', async () => {
    await using stage = await begin();
    await stage.send('canary', 3);
    stage.cloudwatch.statuses.set('Invocation5XXErrors', 'InternalError');
    await expect(stage.source.read()).rejects.toMatchObject({ problems: [{ code: 'aws-away' }] });
    stage.cloudwatch.statuses.set('Invocation5XXErrors', 'Forbidden');
    await expect(stage.source.read()).rejects.toMatchObject({ problems: [{ code: 'forbidden' }] });
  });

  test.each([
    ['ThrottlingException', 'throttled'],
    ['AccessDenied', 'forbidden'],
    ['ExpiredToken', 'unauthorized'],
  ])('that are refused by %s are a %s error, with what to do', async (refuse, code) => {
    await using stage = await begin();
    stage.aws.before = () => ({ refuse });
    await expect(stage.source.read()).rejects.toMatchObject({ problems: [{ code, fix: expect.stringMatching(/\S/) }] });
  });

  test('cannot be of two arms that are the same, or with edges that fall', () => {
    const options = {
      region: 'eu-west-1',
      credentials: async () => standInCredentials,
      endpointName: 'churn',
      canary: { variant: 'AllTraffic' },
    };
    expect(() => openCloudWatch({ ...options, baseline: { variant: 'AllTraffic' } })).toThrow(/endpoint_config/);
    expect(() => openCloudWatch({ ...options, baseline: { variant: 'blue' }, edgesMs: [50, 10] })).toThrow(
      /do not rise/,
    );
  });
});
