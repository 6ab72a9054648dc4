import type { Analysed, Look } from '../../rollout/analyst.ts';
import type { Clock } from '../../rollout/clock.ts';
import { type GuardJobOptions, jobGuard } from '../../rollout/guard/guard-job.ts';
import { openKubernetes, type Patience } from '../../rollout/kubernetes-client.ts';
import type { RolloutOptions } from '../../rollout/live-rollout.ts';
import { type RolloutResult, runRollout } from '../../rollout/run-rollout.ts';
import { emptySource, scripted } from '../../rollout/stand-ins.ts';
import type { RolloutSettings } from '../../rollout/state/settings.ts';
import { openKubernetesTraffic } from '../../rollout/traffic/kubernetes-providers.ts';
import type { KubernetesTraffic } from '../../rollout/traffic/kubernetes-traffic.ts';

/** What the scripted analyst says at each look: how a rollout goes. */
export const courses = {
  harmless: () => 'advance',
  'harmful at 50 %': ({ stage }) => (stage.weight === 50 ? 'rollback' : 'advance'),
  'unsettled at 10 %': ({ stage }) => (stage.weight === 10 ? 'hold' : 'advance'),
} as const satisfies Readonly<Record<string, (look: Look) => Analysed['verdict']>>;
export type Course = keyof typeof courses;

/** A rollout that is quick, on a real object: JSON, so that it can be run by another process. */
export interface TrialRollout {
  readonly id: string;
  readonly holder: string;
  readonly kubeconfig: string;
  readonly traffic: KubernetesTraffic;
  readonly course: Course;
  readonly guard?: GuardJobOptions;
  readonly settings?: Partial<RolloutSettings>;
  readonly patience?: Patience;
  readonly stopAfter?: number;
}

/** Shadow and header where the provider has them, two weights, an approval: every phase there is. */
export function trialSettings({ provider }: KubernetesTraffic): RolloutSettings {
  const routes = provider === 'istio' || provider === 'gateway-api';
  return {
    strategy: {
      kind: 'steps',
      weights: [10, 50],
      ...(routes ? { shadow: { percent: 20 }, header: { name: 'x-canary', value: 'yes', minRequests: 1 } } : {}),
    },
    lookEvery: 20,
    warmUp: 0,
    minStage: 0,
    deadline: 24 * 3_600_000,
    readyDeadline: 600_000,
    lease: 600_000,
    resumeWithin: 1_200_000,
    approval: true,
  };
}

type More = Partial<Pick<RolloutOptions, 'onTurn' | 'warn' | 'signal'>> & { readonly clock?: Clock };

/** Runs it in this process. */
export async function runTrial(trial: TrialRollout, more: More = {}): Promise<RolloutResult> {
  const { id, holder, kubeconfig, traffic, course, guard, settings, patience, stopAfter } = trial;
  const client = openKubernetes({ files: [kubeconfig], ...(patience === undefined ? {} : { patience }) });
  await using provider = openKubernetesTraffic(traffic, client, {
    guard: guard === undefined ? undefined : jobGuard(client, traffic, guard),
  });
  return await runRollout({
    id,
    holder,
    provider,
    source: emptySource,
    analyst: scripted(courses[course]),
    settings: { ...trialSettings(traffic), ...settings },
    approved: async () => true,
    ...(stopAfter === undefined ? {} : { stopAfter }),
    ...more,
  });
}
