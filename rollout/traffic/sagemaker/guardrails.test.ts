import { describe, expect, test } from 'vitest';
import { type ApiStandIn, standInCredentials } from '../../aws/api-stand-in.ts';
import { trafficConformance } from '../../conformance.ts';
import { runRollout } from '../../run-rollout.ts';
import { emptySource, scripted, World, worldClock } from '../../stand-ins.ts';
import type { RolloutSettings } from '../../state/settings.ts';
import type { TrafficProvider } from '../../traffic-provider.ts';
import { EndpointStandIn, endpointStage, timedBy } from './endpoint-stand-in.ts';
import { type GuardrailDeployment, openGuardrails } from './guardrails.ts';

const deployment: GuardrailDeployment = {
  kind: 'canary',
  size: 25,
  bake: 600,
  alarms: ['churn-errors', 'sluice-abort'],
  abortAlarm: 'sluice-abort',
};

function open(aws: ApiStandIn, more: Partial<GuardrailDeployment> = {}): TrafficProvider {
  return openGuardrails({
    region: 'eu-west-1',
    credentials: async () => standInCredentials,
    endpoint: aws.url,
    cloudwatchEndpoint: aws.url,
    endpointName: 'churn',
    baseline: 'churn-1',
    canary: 'churn-2',
    deployment: { ...deployment, ...more },
    patienceMs: 1000,
    busyMs: 300,
    pollMs: 20,
  });
}

async function begin(more: Partial<GuardrailDeployment> = {}) {
  const endpoint = new EndpointStandIn();
  for (const alarm of deployment.alarms) endpoint.alarms.set(alarm, 'OK');
  const stage = await endpointStage(endpoint, 'configurations', (aws, again) => open(aws, again ? {} : more));
  return {
    ...stage,
    updates: () =>
      stage.aws.calls.flatMap(({ operation, input }) =>
        operation === 'UpdateEndpoint' ? input['EndpointConfigName'] : [],
      ),
  };
}

trafficConformance('sagemaker with guardrails', begin);

const canaryAt = (canaryWeight: number) => ({ canaryWeight, mirrorPercent: 0 });

describe('a guarded deployment of SageMaker', () => {
  test.each(['canary', 'linear'] as const)('is started as %s with its alarms, once', async (kind) => {
    await using stage = await begin({ kind, terminationWait: 60, maxTime: 3600 });
    const first = await stage.provider.move({ record: 'step', traffic: canaryAt(25), after: undefined });
    expect(await stage.provider.read()).toMatchObject({ desired: canaryAt(25), settled: false });
    stage.endpoint.settle();
    expect(await stage.provider.read()).toMatchObject({ desired: canaryAt(25), settled: true });
    const second = await stage.provider.move({ record: 'again', traffic: canaryAt(25), after: first });
    await stage.provider.move({ record: 'promote', traffic: canaryAt(100), after: second });
    expect(await stage.provider.read()).toMatchObject({ desired: canaryAt(100), settled: false });
    stage.endpoint.settle();
    expect(await stage.provider.read()).toMatchObject({
      desired: canaryAt(100),
      observed: canaryAt(100),
      settled: true,
    });
    await stage.provider.finish('promoted');
    const update = stage.aws.calls.filter(({ operation }) => operation === 'UpdateEndpoint');
    expect(update.map(({ input }) => input)).toEqual([
      {
        EndpointName: 'churn',
        EndpointConfigName: 'churn-2',
        RetainAllVariantProperties: true,
        ExcludeRetainedVariantProperties: [
          { VariantPropertyType: 'DesiredWeight' },
          { VariantPropertyType: 'DataCaptureConfig' },
        ],
        DeploymentConfig: {
          BlueGreenUpdatePolicy: {
            TrafficRoutingConfiguration: {
              Type: kind === 'canary' ? 'CANARY' : 'LINEAR',
              WaitIntervalInSeconds: 600,
              [kind === 'canary' ? 'CanarySize' : 'LinearStepSize']: { Type: 'CAPACITY_PERCENT', Value: 25 },
            },
            TerminationWaitInSeconds: 60,
            MaximumExecutionTimeoutInSeconds: 3600,
          },
          AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'churn-errors' }, { AlarmName: 'sluice-abort' }] },
        },
      },
    ]);
  });

  test('has the instances of its configuration where that is asked for', async () => {
    await using stage = await begin({ instances: 'configuration' });
    await stage.provider.move({ record: 'step', traffic: canaryAt(25), after: undefined });
    const update = stage.aws.calls.find(({ operation }) => operation === 'UpdateEndpoint');
    expect(Object.keys(update?.input ?? {}).toSorted()).toEqual([
      'DeploymentConfig',
      'EndpointConfigName',
      'EndpointName',
    ]);
  });

  test('that SageMaker brings to its end by itself goes on being watched', async () => {
    await using stage = await begin();
    await stage.provider.move({ record: 'step', traffic: canaryAt(25), after: undefined });
    stage.endpoint.settle();
    stage.endpoint.settle();
    const state = await stage.provider.read();
    expect(state).toMatchObject({ desired: canaryAt(25), observed: canaryAt(100), settled: true });
    expect(state.takenBack).toBeUndefined();
  });

  test('is called back by its abort alarm while it is on, which is at rest afterwards', async () => {
    await using stage = await begin();
    const after = await stage.provider.move({ record: 'step', traffic: canaryAt(25), after: undefined });
    stage.endpoint.settle();
    await stage.provider.move({ record: 'back', traffic: canaryAt(0), after });
    expect(stage.endpoint.alarms.get('sluice-abort')).toBe('ALARM');
    expect(await stage.provider.read()).toMatchObject({ desired: canaryAt(0), settled: false });
    stage.endpoint.settle();
    expect(await stage.provider.read()).toMatchObject({ desired: canaryAt(0), observed: canaryAt(0), settled: true });
    await stage.provider.finish('rolled-back');
    expect(stage.endpoint.alarms.get('sluice-abort')).toBe('OK');
    expect(stage.updates()).toEqual(['churn-2']);
  });

  test('that is over already is undone by deploying the baseline', async () => {
    await using stage = await begin();
    const after = await stage.provider.move({ record: 'step', traffic: canaryAt(25), after: undefined });
    stage.endpoint.settle();
    stage.endpoint.settle();
    await stage.provider.move({ record: 'back', traffic: canaryAt(0), after });
    stage.endpoint.settle();
    expect(await stage.provider.read()).toMatchObject({ observed: canaryAt(0), settled: true });
    expect(stage.updates()).toEqual(['churn-2', 'churn-1']);
  });

  test('without an abort alarm is waited for, and it is said that one would help', async () => {
    const { abortAlarm: _, ...without } = deployment;
    await using stage = await begin();
    await using plain = openGuardrails({
      region: 'eu-west-1',
      credentials: async () => standInCredentials,
      endpoint: stage.aws.url,
      endpointName: 'churn',
      baseline: 'churn-1',
      canary: 'churn-2',
      deployment: without,
      busyMs: 100,
      pollMs: 20,
    });
    const after = await plain.move({ record: 'step', traffic: canaryAt(25), after: undefined });
    stage.endpoint.settle();
    const thrown = await plain.move({ record: 'back', traffic: canaryAt(0), after }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      problems: [{ code: 'endpoint-busy', fix: expect.stringContaining('abort_alarm') }],
    });
    // Whoever looks learns that it still has to be taken back.
    expect((await plain.read()).desired).toEqual(canaryAt(25));
    stage.endpoint.settle();
    await plain.move({ record: 'back', traffic: canaryAt(0), after: (await plain.record())?.revision });
    expect(stage.updates()).toEqual(['churn-2', 'churn-1']);
  });

  test('that an alarm of SageMaker took back is told, and not started again', async () => {
    await using stage = await begin();
    const after = await stage.provider.move({ record: 'step', traffic: canaryAt(25), after: undefined });
    stage.endpoint.settle();
    stage.endpoint.ring('churn-errors');
    expect((await stage.provider.read()).takenBack).toBe('SageMaker rolls the deployment back: it does not say why');
    stage.endpoint.settle();
    expect((await stage.provider.read()).takenBack).toMatch(/^SageMaker rolled the deployment back: One or more/);
    await stage.provider.move({ record: 'step', traffic: canaryAt(25), after });
    expect(stage.updates()).toEqual(['churn-2']);
  });

  test('beside that of somebody else is refused, and so is an endpoint with a third configuration', async () => {
    await using stage = await begin();
    stage.endpoint.configuration = 'churn-7';
    const change = { record: 'step', traffic: canaryAt(25), after: undefined };
    await expect(stage.provider.read()).rejects.toMatchObject({ problems: [{ code: 'unfit-object' }] });
    await expect(stage.provider.move(change)).rejects.toMatchObject({ problems: [{ code: 'unfit-object' }] });
    stage.endpoint.configuration = 'churn-1';
    stage.endpoint.pending = { configuration: 'churn-7', size: 100, alarms: [], stage: 'Creating' };
    await expect(stage.provider.read()).rejects.toMatchObject({
      problems: [{ message: expect.stringContaining('has coming the configuration churn-7') }],
    });
    expect([...stage.endpoint.tags.keys()]).toEqual(['owner']);
  });

  test('is guarded by its own alarms, which is said with what they do not know', async () => {
    await using stage = await begin();
    expect(stage.provider.guard?.title).toContain('churn-errors');
    expect(stage.provider.guard?.title).toContain('nothing of the lease');
  });
});

const settings: RolloutSettings = {
  strategy: { kind: 'steps', weights: [25] },
  lookEvery: 5000,
  warmUp: 0,
  minStage: 10_000,
  deadline: 3_600_000,
  readyDeadline: 1_200_000,
  lease: 60_000,
  resumeWithin: 60_000,
  approval: false,
};

/** A whole rollout, in which the endpoint goes on by a step at every few looks. */
async function rollOut(
  stage: Awaited<ReturnType<typeof begin>>,
  says: (look: number) => 'advance' | 'hold' | 'rollback',
  then: (turn: number) => void,
) {
  const world = new World();
  let turns = 0;
  return runRollout({
    id: 'release-2',
    holder: 'run-1',
    provider: timedBy(world, stage.provider),
    source: emptySource,
    analyst: scripted(({ number }) => says(number)),
    settings,
    clock: worldClock(world),
    onTurn: () => then(++turns),
  });
}

describe('a rollout by guarded deployment', () => {
  test('is promoted when the evidence is good and SageMaker is through', async () => {
    await using stage = await begin();
    const { record } = await rollOut(
      stage,
      () => 'advance',
      (turn) => turn % 3 === 0 && stage.endpoint.settle(),
    );
    expect(record.phase).toBe('promoted');
    expect(stage.endpoint.configuration).toBe('churn-2');
  });

  test('is called back when Sluice sees harm that no alarm saw', async () => {
    await using stage = await begin();
    const { record } = await rollOut(
      stage,
      (look) => (look > 3 ? 'rollback' : 'hold'),
      (turn) => turn % 3 === 0 && stage.endpoint.settle(),
    );
    expect(record).toMatchObject({ phase: 'rolled-back', reason: expect.stringContaining('scripted') });
    expect(stage.endpoint).toMatchObject({ configuration: 'churn-1', status: 'InService' });
    expect(stage.updates()).toEqual(['churn-2']);
  });

  test('is over when an alarm took it back, for that reason', async () => {
    await using stage = await begin();
    const { record } = await rollOut(
      stage,
      () => 'hold',
      (turn) => (turn === 5 ? stage.endpoint.ring('churn-errors') : turn % 3 === 0 && stage.endpoint.settle()),
    );
    expect(record).toMatchObject({ phase: 'rolled-back', reason: expect.stringContaining('SageMaker roll') });
    expect(stage.updates()).toEqual(['churn-2']);
  });
});
