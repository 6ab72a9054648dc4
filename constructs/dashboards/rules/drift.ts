import {
  isNoQuery,
  kullbackLeibler,
  modelGauge,
  populationStability,
  predictionShares,
  recordedSeries,
} from '../../../core/telemetry/index.ts';
import { secondsOf } from './duration.ts';
import {
  type AbsentRule,
  absentRule,
  type MonitoredModel,
  modelName,
  modelScope,
  ownScope,
  recordedSelector,
} from './monitored-model.ts';
import type { AlertRule, RuleGroup } from './rule-group.ts';

/** When what a model sees or says counts as another than before. */
export interface DriftSettings {
  /** What is compared. @default '1h' */
  readonly window?: string;
  /** What with: the answers of the time that ended `offset` ago and lasted `over`. @default the day that ended a day ago */
  readonly reference?: { readonly offset: string; readonly over: string };
  /** Population stability index above which it shifts. @default 0.1 */
  readonly shifts?: number;
  /** Above which it has drifted. @default 0.2 */
  readonly drifted?: number;
  /** Values an output must have given in the window. With few, chance alone gives an index of about bins / values. @default 1000 */
  readonly fewest?: number;
  /** Age of the drift check's last run above which it no longer runs. @default '26h' */
  readonly checkedWithin?: string;
  /** The least accuracy, 0 to 1. @default none */
  readonly accuracy?: number;
}

/** What a model answers against what it answered, and what the drift check found in its inputs. */
export function driftRules(
  model: MonitoredModel,
  settings: DriftSettings = {},
): { readonly groups: readonly RuleGroup[]; readonly absent: readonly AbsentRule[] } {
  const predictions = predictionRules(model, settings);
  const inputs = inputRules(model, settings);
  return {
    groups: [...predictions.groups, ...inputs.groups],
    absent: [...predictions.absent, ...inputs.absent],
  };
}

const predictionAlerts = ['ModelPredictionsShifting', 'ModelPredictionsDrifted'] as const;

function predictionRules(model: MonitoredModel, settings: DriftSettings): ReturnType<typeof driftRules> {
  const { window = '1h', reference = { offset: '1d', over: '1d' }, fewest = 1000 } = settings;
  const scope = modelScope(model);
  if (model.profile !== 'sluice')
    return {
      groups: [],
      absent: predictionAlerts.map((alert) => ({
        alert,
        reason: `${scope.profile.title} does not show what its models answer`,
        fix: 'Run the drift check on its logged answers: it tells the drift of inputs and outputs as features.',
      })),
    };
  const shares = predictionShares({ selector: scope.selector, by: [...scope.by, 'version'], window });
  const where = recordedSelector(scope);
  if (isNoQuery(shares) || typeof where !== 'string')
    return {
      groups: [],
      absent: predictionAlerts.flatMap((alert) => absentRule(alert, isNoQuery(shares) ? shares : Object(where))),
    };
  const share = `${recordedSeries('predictionShare', window)}${where}`;
  const pair = {
    now: share,
    reference: `avg_over_time(${share}[${reference.over}] offset ${reference.offset})`,
    by: shares.labels,
  };
  const psi = recordedSeries('predictionPsi', window);
  const enough = `on(${shares.labels.join(',')}) (${shares.seen}) * ${secondsOf(window) ?? 0} >= ${fewest}`;
  const alert = (name: string, bound: number, severity: 'info' | 'warning'): AlertRule => ({
    alert: name,
    expr: `${psi}${where} > ${bound} and ${enough}`,
    for: '15m',
    labels: { severity },
    annotations: {
      summary: `${modelName(scope)}, version {{ $labels.model_version }}: what output {{ $labels.output }} gives has ${severity === 'info' ? 'shifted' : 'drifted'}.`,
      description: `The population stability index of the last ${window} against the ${reference.over} that ended ${reference.offset} before is {{ $value | humanize }}, above ${bound}.`,
      runbook: driftRunbook,
    },
  });
  return {
    groups: [
      {
        name: 'sluice-predictions',
        interval: '1m',
        rules: [
          { record: recordedSeries('predictionBuckets', window), expr: shares.buckets },
          { record: recordedSeries('predictionShare', window), expr: shares.share },
          { record: psi, expr: populationStability(pair) },
          { record: recordedSeries('predictionKl', window), expr: kullbackLeibler(pair) },
          alert(predictionAlerts[0], settings.shifts ?? 0.1, 'info'),
          alert(predictionAlerts[1], settings.drifted ?? 0.2, 'warning'),
        ],
      },
    ],
    absent: [],
  };
}

function inputRules(model: MonitoredModel, settings: DriftSettings): ReturnType<typeof driftRules> {
  const scope = ownScope(model);
  const { selector, by } = scope;
  const { checkedWithin = '26h' } = settings;
  const each = { selector, by: [...by, 'version'] as const, window: '5m' };
  const psi = modelGauge('featurePsi', 'max', { ...each, by: [...each.by, { label: 'feature' }] });
  const checked = modelGauge('driftChecked', 'max', each);
  const accuracy = modelGauge('accuracy', 'min', { selector, by, window: '5m' });
  if (isNoQuery(psi)) return { groups: [], absent: absentRule('ModelInputsDrifted', psi) };
  if (isNoQuery(checked)) return { groups: [], absent: absentRule('ModelDriftCheckStale', checked) };
  if (isNoQuery(accuracy)) return { groups: [], absent: absentRule('ModelAccuracyLow', accuracy) };
  const name = modelName(scope);
  const drift = (alert: string, bound: number, severity: 'info' | 'warning'): AlertRule => ({
    alert,
    expr: `${psi.expr} > ${bound}`,
    for: '15m',
    labels: { severity },
    annotations: {
      summary: `${name}: input {{ $labels.feature }} has ${severity === 'info' ? 'shifted' : 'drifted'}.`,
      description: `Its population stability index against the reference is {{ $value | humanize }}, above ${bound}.`,
      runbook: driftRunbook,
    },
  });
  return {
    groups: [
      {
        name: 'sluice-inputs',
        interval: '1m',
        rules: [
          drift('ModelInputsShifting', settings.shifts ?? 0.1, 'info'),
          drift('ModelInputsDrifted', settings.drifted ?? 0.2, 'warning'),
          {
            alert: 'ModelDriftCheckStale',
            expr: `time() - ${checked.expr} > ${secondsOf(checkedWithin) ?? 0}`,
            for: '15m',
            labels: { severity: 'warning' },
            annotations: {
              summary: `${name}: nobody has looked for drift for {{ $value | humanizeDuration }}.`,
              description: `The drift check ended last more than ${checkedWithin} ago. Without it no drift of inputs is seen.`,
              runbook:
                'Look at the last run of the scheduled workflow or CronJob that runs the drift check, and at its log.',
            },
          },
          ...(settings.accuracy === undefined
            ? []
            : [
                {
                  alert: 'ModelAccuracyLow',
                  expr: `${accuracy.expr} < ${settings.accuracy}`,
                  for: '15m',
                  labels: { severity: 'warning' as const },
                  annotations: {
                    summary: `${name}: accuracy is {{ $value | humanizePercentage }}.`,
                    description: `It is below ${settings.accuracy * 100} %, as its release measured it or as later labels show.`,
                    runbook:
                      'Look at the slices in the last quality gate or drift report, then retrain on newer labels or roll the release back.',
                  },
                },
              ]),
        ],
      },
    ],
    absent: [],
  };
}

const driftRunbook =
  'Ask first whether the world changed or the data did: a new client, a unit, a default for a missing value, a feature that is no longer filled. ' +
  'See "Predictions by class" and the drift of each feature. If the data are right, retrain; the labels of the new data say whether accuracy fell.';
