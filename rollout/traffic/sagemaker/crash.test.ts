import { describe, expect, test } from 'vitest';
import { type ApiAnswer, type ApiCall, ApiStandIn, standInCredentials } from '../../aws/api-stand-in.ts';
import { runRollout } from '../../run-rollout.ts';
import { emptySource, scripted, World, worldClock } from '../../stand-ins.ts';
import type { RolloutSettings } from '../../state/settings.ts';
import type { TrafficProvider } from '../../traffic-provider.ts';
import { EndpointStandIn, timedBy } from './endpoint-stand-in.ts';
import { openGuardrails } from './guardrails.ts';
import { tagPrefix } from './tag-record.ts';
import { openVariantWeights } from './variant-weights.ts';

// A run that dies at any one of its calls, before AWS did it or after; then another goes on with the same rollout.

const settings: RolloutSettings = {
  strategy: { kind: 'steps', weights: [25] },
  lookEvery: 5000,
  warmUp: 0,
  minStage: 0,
  deadline: 3_600_000,
  readyDeadline: 600_000,
  lease: 600_000,
  resumeWithin: 60_000,
  approval: false,
};
const weights = { baseline: 'blue', canary: 'green' };
const configurations = { baseline: 'churn-1', canary: 'churn-2' };
const deployment = {
  kind: 'canary',
  size: 25,
  bake: 600,
  alarms: ['churn-5xx', 'sluice-abort'],
  abortAlarm: 'sluice-abort',
} as const;

const atOnce = 12;

interface Mode {
  readonly open: (aws: ApiStandIn) => TrafficProvider;
  readonly share: (endpoint: EndpointStandIn) => number;
}

const modes: Readonly<Record<string, Mode>> = {
  'variant weights': {
    open: (aws) => openVariantWeights({ ...common(aws), ...weights }),
    share: (endpoint) => endpoint.share('variants'),
  },
  guardrails: {
    open: (aws) => openGuardrails({ ...common(aws), ...configurations, cloudwatchEndpoint: aws.url, deployment }),
    share: (endpoint) => endpoint.share('configurations'),
  },
};

function common(aws: ApiStandIn) {
  return {
    region: 'eu-west-1',
    credentials: async () => standInCredentials,
    endpoint: aws.url,
    endpointName: 'churn',
    patienceMs: 200,
    busyMs: 50,
    pollMs: 5,
    deadBidMs: 20,
  };
}

/** One rollout in two lives. @returns how many calls the first life made, and where the endpoint came to */
async function inTwoLives(mode: Mode, verdict: 'advance' | 'rollback', death: number, after: boolean) {
  const endpoint = new EndpointStandIn();
  for (const alarm of deployment.alarms) endpoint.alarms.set(alarm, 'OK');
  const handlers = endpoint.handlers();
  await using aws = await ApiStandIn.start(handlers);
  const dead: ApiAnswer = { refuse: 'AccessDeniedException', message: 'this process is dead' };
  let calls = 0;
  aws.before = ({ service, operation, input }: ApiCall) => {
    calls++;
    if (calls < death) return undefined;
    if (calls === death && after) void handlers[`${service}:${operation}`]?.(input);
    return dead;
  };
  const world = new World();
  const live = async (holder: string) => {
    await using provider = mode.open(aws);
    return await runRollout({
      id: 'release-2',
      holder,
      provider: timedBy(world, provider),
      source: emptySource,
      analyst: scripted(() => verdict),
      settings,
      clock: worldClock(world),
      onTurn: () => endpoint.settle(),
    });
  };
  const first = await live('first').catch((error: unknown) => error);
  const made = calls;
  aws.before = undefined;
  world.time += 60_000;
  endpoint.settle();
  const { record } = first instanceof Error ? await live('second') : (first as Awaited<ReturnType<typeof live>>);
  endpoint.settle();
  endpoint.settle();
  expect(aws.faults).toEqual([]);
  const bids = [...endpoint.tags.keys()].filter((key) => key.startsWith(`${tagPrefix}:bid`));
  return {
    made,
    died: first instanceof Error,
    phase: record.phase,
    share: mode.share(endpoint),
    bids,
    status: endpoint.status,
  };
}

describe.each(Object.entries(modes))('a rollout by %s whose run dies', (_, mode) => {
  test.each(['advance', 'rollback'] as const)(
    'at any call, and finds %s, ends with all or nothing',
    { timeout: 600_000 },
    async (verdict) => {
      const whole = await inTwoLives(mode, verdict, Number.POSITIVE_INFINITY, false);
      expect(whole).toMatchObject({ died: false, phase: verdict === 'advance' ? 'promoted' : 'rolled-back' });
      expect(whole.made).toBeGreaterThan(20);
      const outcomes = new Set<string>();
      const deaths = Array.from({ length: whole.made }, (_each, index) => index + 1);
      const one = async (death: number, after: boolean): Promise<void> => {
        const { died, phase, share, bids, status } = await inTwoLives(mode, verdict, death, after);
        const told = `died ${after ? 'after' : 'before'} call ${death} of ${whole.made}`;
        expect(`${told}: ${phase} at ${share}, ${status}`).toBe(
          `${told}: ${phase} at ${phase === 'promoted' ? 1 : 0}, InService`,
        );
        expect(phase, told).toMatch(verdict === 'rollback' ? /^rolled-back$/ : /^(promoted|rolled-back)$/);
        // What the dead one left is passed over; the next rollout clears it.
        expect(bids.length, told).toBeLessThanOrEqual(1);
        if (died) outcomes.add(phase);
      };
      // Most of the time is waiting: many die at once, each in a world of its own.
      for (let from = 0; from < deaths.length; from += atOnce) {
        await Promise.all(deaths.slice(from, from + atOnce).flatMap((death) => [one(death, false), one(death, true)]));
      }
      expect(outcomes.has(verdict === 'advance' ? 'promoted' : 'rolled-back')).toBe(true);
    },
  );
});
