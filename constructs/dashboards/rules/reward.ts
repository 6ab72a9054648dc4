import { isNoQuery, modelGauge } from '../../../core/telemetry/index.ts';
import { type AbsentRule, absentRule, type MonitoredModel, modelName, ownScope } from './monitored-model.ts';
import type { RuleGroup } from './rule-group.ts';

export interface RewardSettings {
  /** By which share of its usual size the mean reward may fall. @default 0.05 */
  readonly drop?: number;
  /** What is compared. @default '30m' */
  readonly window?: string;
  /** What with: the time that ended `offset` ago and lasted `over`. @default a day, an hour ago */
  readonly usual?: { readonly offset: string; readonly over: string };
}

/** A reinforcement-learning policy that earns less than it did. Rewards may be negative: the fall is a share of their usual size. */
export function rewardRules(
  model: MonitoredModel,
  settings: RewardSettings = {},
): { readonly groups: readonly RuleGroup[]; readonly absent: readonly AbsentRule[] } {
  const { drop = 0.05, window = '30m', usual = { offset: '1h', over: '1d' } } = settings;
  const scope = ownScope(model);
  const reward = modelGauge('episodeReward', 'avg', { selector: scope.selector, by: [...scope.by, 'version'], window });
  if (isNoQuery(reward)) return { groups: [], absent: absentRule('ModelRewardDropped', reward) };
  const now = `avg_over_time((${reward.expr})[${window}:1m])`;
  const before = `avg_over_time((${reward.expr})[${usual.over}:5m] offset ${usual.offset})`;
  return {
    groups: [
      {
        name: 'sluice-reward',
        interval: '1m',
        rules: [
          {
            alert: 'ModelRewardDropped',
            expr: `${now} < ${before} - ${drop} * abs(${before})`,
            for: '10m',
            labels: { severity: 'critical' },
            annotations: {
              summary: `${modelName(scope)}, version {{ $labels.model_version }}: the mean reward fell to {{ $value | humanize }}.`,
              description: `The mean reward of the last ${window} is more than ${drop * 100} % below that of the ${usual.over} that ended ${usual.offset} before.`,
              runbook:
                'If a rollout is under way, abort it (sluice canary abort). Compare the episode length: shorter episodes mean the policy fails early, equal ones that the ' +
                'environment pays differently. Then go back to the last policy and replay its episodes.',
            },
          },
        ],
      },
    ],
    absent: [],
  };
}
