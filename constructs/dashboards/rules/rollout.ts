import {
  isNoQuery,
  modelGauge,
  modelMissing,
  resourceUsed,
  targetLabels,
  versionSkew,
  versionsInUse,
} from '../../../core/telemetry/index.ts';
import { secondsOf } from './duration.ts';
import { type AbsentRule, absentRule, type MonitoredModel, modelName, modelScope } from './monitored-model.ts';
import type { AlertRule, RuleGroup } from './rule-group.ts';

export interface RolloutSettings {
  /** Longer than any rollout takes. @default '24h' */
  readonly longest?: string;
}

/** Servers that are gone or not ready, pods that serve different versions, and rollouts that somebody forgot. */
export function rolloutRules(
  model: MonitoredModel,
  settings: RolloutSettings = {},
): { readonly groups: readonly RuleGroup[]; readonly absent: readonly AbsentRule[] } {
  const { longest = '24h' } = settings;
  const scope = modelScope(model);
  const { profile, selector, by } = scope;
  const name = modelName(scope);
  const missing = modelMissing(profile, selector);
  const ready = modelGauge('ready', 'max', { selector, by, window: '5m' });
  const skew = versionSkew(profile, { selector, by });
  const inUse = versionsInUse(profile, { selector, by, window: '1h' });
  const version = profile.labels.version ?? targetLabels.version;
  const rules: readonly AlertRule[] = [
    ...(isNoQuery(missing)
      ? []
      : [
          {
            alert: 'ModelMissing',
            expr: missing.expr,
            for: '10m',
            labels: { severity: 'critical' as const },
            annotations: {
              summary: `No server of ${profile.title} shows its metrics{{ with $labels.${profile.labels.model ?? 'job'} }} (model {{ . }}){{ end }}{{ with $labels.namespace }} in {{ . }}{{ end }}.`,
              description:
                'For ten minutes Prometheus has scraped no such series. No other alert can fire for a server that is not there.',
              runbook:
                'See whether its pods run and are ready, then whether Prometheus finds them: the labels of the ServiceMonitor or PodMonitor, the name of the port, the NetworkPolicy.',
            },
          },
        ]),
    ...(profile.name !== 'sluice' || isNoQuery(ready)
      ? []
      : [
          {
            alert: 'ModelNotReady',
            expr: `${ready.expr} == 0`,
            for: '5m',
            labels: { severity: 'critical' as const },
            annotations: {
              summary: `${name}: no version of it is ready.`,
              description: 'For five minutes no process has had a version of this model that answers requests.',
              runbook:
                "Read the server's log for why loading failed (a checksum, an operator, memory). Roll back to the version that loaded.",
            },
          },
        ]),
    ...(isNoQuery(skew)
      ? []
      : [
          {
            alert: 'ModelVersionSkew',
            expr: skew.expr,
            for: '15m',
            labels: { severity: 'warning' as const },
            annotations: {
              summary: `${name}: version {{ $labels.${version} }} is served by {{ $value }} of its processes, not by all.`,
              description:
                'For a quarter of an hour processes of one release have served different versions: the same request has different answers.',
              runbook:
                'Look which processes have it ready and why the others have not: a download that failed, a volume that is stale, a pod that was never restarted. ' +
                'If a rollout is under way, its two sides need different values of the label sluice.dev/model-version, and podTargetLabels must name it.',
            },
          },
        ]),
    ...(isNoQuery(inUse)
      ? []
      : [
          {
            alert: 'CanaryStale',
            expr: `${inUse.expr} > 1`,
            for: longest,
            labels: { severity: 'warning' as const },
            annotations: {
              summary: `${name}: {{ $value }} versions have taken requests for ${longest}.`,
              description: 'That is longer than a rollout takes: a canary was neither promoted nor taken back.',
              runbook:
                'Ask sluice canary status. Then resume the rollout, promote it (sluice canary approve), or end it (sluice canary abort).',
            },
          },
        ]),
    ...guardAlerts(model, longest),
  ];
  return {
    groups: [{ name: 'sluice-rollout', rules }],
    absent: [
      ...absentRule('ModelMissing', missing),
      ...(profile.name === 'sluice'
        ? absentRule('ModelNotReady', ready)
        : [
            {
              alert: 'ModelNotReady',
              reason: `${profile.title} has no series for readiness`,
              fix: 'The pods say it: alert on the available replicas of the Deployment.',
            },
          ]),
      ...absentRule('ModelVersionSkew', skew),
      ...absentRule('CanaryStale', inUse),
    ],
  };
}

/** The guard's Job in the cluster, as kube-state-metrics shows it. The record of a rollout is an annotation, which no exporter reads. */
function guardAlerts({ selector = {} }: MonitoredModel, longest: string): readonly AlertRule[] {
  const { namespace } = selector;
  const scope = {
    selector: namespace === undefined ? {} : { namespace },
    by: ['namespace', { label: 'job_name' }] as const,
    window: '5m',
  };
  const failed = resourceUsed('guardFailed', scope);
  const started = resourceUsed('guardStarted', scope);
  const active = resourceUsed('guardActive', scope);
  if (isNoQuery(failed) || isNoQuery(started) || isNoQuery(active)) return [];
  return [
    {
      alert: 'CanaryGuardFailed',
      expr: `${failed.expr} == 1`,
      labels: { severity: 'critical' },
      annotations: {
        summary: 'The guard {{ $labels.job_name }} in {{ $labels.namespace }} has failed.',
        description: 'If the run of its rollout dies now, nobody takes the canary back when the lease runs out.',
        runbook:
          'Read its log (kubectl logs -l job-name={{ $labels.job_name }}): most often its Role or the API server. Then start the rollout again or end it: sluice canary abort.',
      },
    },
    {
      alert: 'CanaryGuardStale',
      expr: `time() - ${started.expr} > ${secondsOf(longest) ?? 0} and ${active.expr} > 0`,
      for: '5m',
      labels: { severity: 'warning' },
      annotations: {
        summary:
          'The guard {{ $labels.job_name }} in {{ $labels.namespace }} has run for {{ $value | humanizeDuration }}.',
        description: `A rollout has been under way for more than ${longest}: somebody renews its lease and never ends it, or it waits for an approval.`,
        runbook: 'Ask sluice canary status what it waits for. Approve it, resume it, or end it: sluice canary abort.',
      },
    },
  ];
}
