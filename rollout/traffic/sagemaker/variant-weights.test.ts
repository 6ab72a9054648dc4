import { describe, expect, test } from 'vitest';
import { type ApiStandIn, standInCredentials } from '../../aws/api-stand-in.ts';
import { trafficConformance } from '../../conformance.ts';
import { TrafficConflict, type TrafficProvider } from '../../traffic-provider.ts';
import { EndpointStandIn, endpointStage } from './endpoint-stand-in.ts';
import { openVariantWeights, type VariantWeightsOptions } from './variant-weights.ts';

function open(aws: ApiStandIn, more: Partial<VariantWeightsOptions> = {}): TrafficProvider {
  return openVariantWeights({
    region: 'eu-west-1',
    credentials: async () => standInCredentials,
    endpoint: aws.url,
    endpointName: 'churn',
    baseline: 'blue',
    canary: 'green',
    patienceMs: 1000,
    busyMs: 300,
    pollMs: 20,
    ...more,
  });
}

function begin(more: Partial<VariantWeightsOptions> = {}) {
  return endpointStage(new EndpointStandIn(), 'variants', (aws, again) => open(aws, again ? {} : more));
}

trafficConformance('sagemaker with variant weights', begin);

const canaryAt = (canaryWeight: number) => ({ canaryWeight, mirrorPercent: 0 });

describe('weights of SageMaker variants', () => {
  test('have no guard, and take no header and no copies', async () => {
    await using stage = await begin();
    expect(stage.provider.guard).toBeUndefined();
    expect(stage.provider.can).toEqual({ header: false, mirror: false, weights: 'any' });
  });

  test('are settled when the variants have them and the endpoint is in service', async () => {
    await using stage = await begin();
    await stage.provider.move({ record: 'r', traffic: canaryAt(10), after: undefined });
    expect(await stage.provider.read()).toMatchObject({ desired: canaryAt(10), observed: canaryAt(0), settled: false });
    stage.endpoint.settle();
    expect(await stage.provider.read()).toMatchObject({ desired: canaryAt(10), observed: canaryAt(10), settled: true });
    expect(stage.endpoint.variants.map(({ desired }) => desired)).toEqual([90, 10]);
    expect(stage.endpoint.variants.map(({ instances }) => instances)).toEqual([2, 1]);
  });

  test.each([
    [0.001, 1, 1],
    [1, 0.001, 99],
    [0, 1, 0],
    [1, 0, 100],
    [1, 3, 25],
  ])('of %d and %d are never rounded to nothing or to all', async (canary, baseline, percent) => {
    await using stage = await begin();
    stage.endpoint.variants = [
      { name: 'blue', desired: baseline, current: baseline, instances: 1 },
      { name: 'green', desired: canary, current: canary, instances: 1 },
    ];
    expect((await stage.provider.read()).desired.canaryWeight).toBe(percent);
  });

  test('wait while the endpoint is being changed, and are set then', async () => {
    await using stage = await begin({ busyMs: 5000 });
    stage.endpoint.status = 'SystemUpdating';
    const moved = stage.provider.move({ record: 'r', traffic: canaryAt(5), after: undefined });
    await expect.poll(async () => (await stage.provider.record())?.text).toBe('r');
    expect(stage.endpoint.variants[1]?.desired).toBe(0);
    stage.endpoint.status = 'InService';
    await moved;
    expect(stage.endpoint.variants[1]?.desired).toBe(5);
  });

  test('that cannot be set are told, and set when the move comes again with the same record', async () => {
    await using stage = await begin();
    const change = { record: 'r', traffic: canaryAt(5) };
    stage.endpoint.status = 'Updating';
    const thrown = await stage.provider.move({ ...change, after: undefined }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: 'PeerError', problems: [{ code: 'endpoint-busy' }] });
    // As the keeper of records does it: what it finds is its own.
    await expect(stage.provider.move({ ...change, after: undefined })).rejects.toBeInstanceOf(TrafficConflict);
    stage.endpoint.status = 'InService';
    const revision = (await stage.provider.record())?.revision;
    expect(await stage.provider.move({ ...change, after: revision })).toBe(revision);
    expect(stage.endpoint.variants[1]?.desired).toBe(5);
  });

  test('are not set twice when the answer to the first call was lost', async () => {
    await using stage = await begin();
    let lost = 1;
    stage.aws.handle({
      'sagemaker:UpdateEndpointWeightsAndCapacities': (input) => {
        const answer = stage.endpoint.handlers()['sagemaker:UpdateEndpointWeightsAndCapacities']?.(input);
        return lost-- > 0 || answer === undefined ? { refuse: 'InternalFailure', status: 500 } : answer;
      },
    });
    await stage.provider.move({ record: 'r', traffic: canaryAt(5), after: undefined });
    expect((await stage.provider.read()).desired).toEqual(canaryAt(5));
  });

  test.each([
    ['Failed', 'The model container failed its health check.', /churn is Failed: The model container/],
    ['OutOfService', undefined, /is OutOfService/],
    ['UpdateRollbackFailed', undefined, /is UpdateRollbackFailed/],
  ])('of an endpoint that is %s are not settled, and it is said why', async (status, failure, words) => {
    await using stage = await begin();
    stage.endpoint.status = status;
    stage.endpoint.failure = failure;
    expect(await stage.provider.read()).toMatchObject({ settled: false, notReady: expect.stringMatching(words) });
    const thrown = stage.provider.move({ record: 'r', traffic: canaryAt(5), after: undefined });
    await expect(thrown).rejects.toMatchObject({
      problems: [{ code: 'endpoint-busy', message: expect.stringMatching(words) }],
    });
  });

  test('tell of a canary without instances, and of somebody else who deploys', async () => {
    await using stage = await begin();
    const [, green] = stage.endpoint.variants;
    if (green !== undefined) green.instances = 0;
    expect((await stage.provider.read()).notReady).toBe('the variant green has no instance');
    stage.endpoint.pending = { configuration: 'churn-9', size: 100, alarms: [], stage: 'Creating' };
    stage.endpoint.status = 'Updating';
    const { notReady, settled } = await stage.provider.read();
    expect(notReady).toBe('somebody else deploys the configuration churn-9 to SageMaker endpoint churn');
    expect(settled).toBe(false);
  });

  test('are refused for variants that are not there, and where a third has traffic; nothing is written', async () => {
    await using stage = await begin();
    await using other = open(stage.aws, { canary: 'violet' });
    const change = { record: 'r', traffic: canaryAt(5), after: undefined };
    await expect(other.read()).rejects.toMatchObject({
      problems: [{ code: 'unfit-object', message: expect.stringContaining('blue, green') }],
    });
    await expect(other.move(change)).rejects.toMatchObject({ problems: [{ code: 'unfit-object' }] });
    stage.endpoint.variants = [...stage.endpoint.variants, { name: 'red', desired: 1, current: 1, instances: 1 }];
    await expect(stage.provider.move(change)).rejects.toMatchObject({ problems: [{ code: 'unfit-object' }] });
    expect([...stage.endpoint.tags.keys()]).toEqual(['owner']);
    await using nowhere = open(stage.aws, { endpointName: 'nowhere' });
    await expect(nowhere.read()).rejects.toMatchObject({ problems: [{ code: 'not-found' }] });
  });

  test('follow AWS’s clock', async () => {
    await using stage = await begin();
    stage.aws.clock = () => 1_800_000_000_000;
    expect(Math.abs(((await stage.provider.now?.()) ?? 0) - 1_800_000_000_000)).toBeLessThan(10_000);
  });
});
