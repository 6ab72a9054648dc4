import { type DriftSettings, driftRules } from './drift.ts';
import { type GpuSettings, gpuRules } from './gpu.ts';
import type { AbsentRule, MonitoredModel } from './monitored-model.ts';
import { type RewardSettings, rewardRules } from './reward.ts';
import { type RolloutSettings, rolloutRules } from './rollout.ts';
import { isAlert, type RuleGroup } from './rule-group.ts';
import { type ServiceLevel, serviceLevelRules } from './service-level.ts';

/** Which rules, and with which bounds. */
export interface ServingRulesOptions extends MonitoredModel {
  readonly serviceLevel?: ServiceLevel;
  /** `false`: none. */
  readonly drift?: DriftSettings | false;
  readonly rollout?: RolloutSettings;
  /** GPUs by the DCGM exporter. @default none */
  readonly gpu?: GpuSettings;
  /** For reinforcement learning. @default none */
  readonly reward?: RewardSettings;
  /** Added to every alert, for who routes them: `{ team: 'risk' }`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** A page on which each alert has a heading of its name. @default none: the runbook is in the annotation `runbook` */
  readonly runbookUrl?: string;
}

export interface ServingRules {
  readonly groups: readonly RuleGroup[];
  /** Alerts that cannot be had from this server, and what to do instead. */
  readonly absent: readonly AbsentRule[];
}

/** Recording and alerting rules for a model server, in the form of Prometheus' rule files. The same options give the same rules. */
export function servingRules(options: ServingRulesOptions): ServingRules {
  const { serviceLevel, drift, rollout, gpu, reward, labels = {}, runbookUrl } = options;
  const parts = [
    serviceLevelRules(options, serviceLevel),
    rolloutRules(options, rollout),
    ...(drift === false ? [] : [driftRules(options, drift)]),
    ...(gpu === undefined ? [] : [gpuRules(options, gpu)]),
    ...(reward === undefined ? [] : [rewardRules(options, reward)]),
  ];
  const groups = parts
    .flatMap((part) => part.groups)
    .map((group) => ({
      ...group,
      rules: group.rules.map((rule) =>
        isAlert(rule)
          ? {
              ...rule,
              labels: { ...labels, ...rule.labels },
              annotations: {
                ...rule.annotations,
                ...(runbookUrl === undefined ? {} : { runbook_url: `${runbookUrl}#${rule.alert.toLowerCase()}` }),
              },
            }
          : rule,
      ),
    }));
  return { groups, absent: parts.flatMap((part) => part.absent) };
}
