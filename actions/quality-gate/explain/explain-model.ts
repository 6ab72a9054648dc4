import type { Host } from '../../../core/host/index.ts';
import { type Measure, type Metric, type MetricOptions, metricOf, type Sample } from '../../../core/metrics/index.ts';
import { type EffectivePolicy, policyDefaults } from '../../../core/policy/index.ts';
import { describeProblem, SluiceError } from '../../../core/problem/index.ts';
import type { Figure, Notice } from '../../../core/report/index.ts';
import { subjectOf } from '../candidate-and-baseline.ts';
import type { EvaluationRows } from '../evaluation-rows.ts';
import { boundedMetrics, isOfClasses, toMeasure } from '../metric-gate.ts';
import { counted, numberText } from '../number-text.ts';
import type { RowPredictor } from '../row-predictor.ts';
import type { Subject } from '../subject.ts';
import { bestThreshold, type ThresholdAim } from './best-threshold.ts';
import {
  type Feature,
  type Importance,
  importanceOf,
  permutation,
  sampleRows,
  shuffled,
  withoutProgress,
} from './permutation-importance.ts';

export interface Explanation {
  readonly figures: readonly Figure[];
  readonly notices: readonly Notice[];
}

export interface ToExplain {
  readonly rows: EvaluationRows;
  readonly candidate: RowPredictor;
  readonly baseline: RowPredictor | undefined;
  readonly host: Host;
  /** Which row's value each row gets. @default drawn by the data's digest */
  readonly orderOf?: (feature: Feature, repeat: number, rows: number) => Int32Array;
}

/**
 * What the policy's `explain` asks for: importance of features, the best threshold. It decides nothing, so what cannot be explained is a notice,
 * never an error.
 */
export async function explainModel(policy: EffectivePolicy, subject: Subject, of: ToExplain): Promise<Explanation> {
  const { explain } = policy.policy;
  if (explain === undefined || subject.broken !== undefined) return { figures: [], notices: [] };
  const { importance = false, threshold } = explain;
  const notices = threshold === undefined ? [] : [thresholdNotice(policy, subject, threshold)];
  if (importance === false) return { figures: [], notices };
  try {
    const options = importance === true ? {} : importance;
    const found = await importances(policy, subject, of, options);
    return { figures: figuresOf(found), notices: [...notices, ...found.notices] };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const why = describeProblem(error.problems[0]);
    return {
      figures: [],
      notices: [...notices, { level: 'warning', message: `The features cannot be explained: ${why}` }],
    };
  }
}

/** More features than this are no list that anyone reads, and take long. */
const mostFeatures = 64;

export interface Importances {
  readonly metric: string;
  /** The most important first. */
  readonly found: readonly Importance[];
  readonly rows: number;
  readonly repeats: number;
  readonly notices: readonly Notice[];
}

/** Shuffles each feature, has both models predict anew, and measures what is lost. */
export async function importances(
  policy: EffectivePolicy,
  subject: Subject,
  { rows, candidate, baseline, host, orderOf }: ToExplain,
  options: {
    readonly repeats?: number | undefined;
    readonly rows?: number | undefined;
    readonly groups?: Readonly<Record<string, readonly string[]>> | undefined;
  },
): Promise<Importances> {
  const { explain: defaults } = policyDefaults;
  const { repeats = defaults.repeats, rows: most = defaults.rows, groups = {} } = options;
  const usable = subject.pair.baseline === undefined ? undefined : baseline;
  const features = featuresOf(candidate, groups);
  const looked = features.slice(0, mostFeatures);
  const columns = [...new Set([...candidate.columns, ...(usable?.columns ?? [])])];
  const { rows: held, count } = await sampleRows(rows, columns, most);
  const quiet = withoutProgress(host);
  const judged = async (one: RowPredictor, other: RowPredictor | undefined) => {
    const { subject: of } = await subjectOf(policy, held, one, other, subject.noBaseline, quiet);
    return of.pair;
  };
  const plain = await judged(candidate, usable);
  const { metric, measure } = firstMetric(policy, plain.candidate);
  const lossless = { candidate: measure(plain.candidate), baseline: plain.baseline && measure(plain.baseline) };
  const [all] = await collected(held, columns, count);
  const found: Importance[] = [];
  const progress = host.progress('Explain the features');
  try {
    for (const [index, feature] of looked.entries()) {
      const mine: Measure[] = [];
      const others: Measure[] = [];
      const both = usable !== undefined && feature.columns.some((name) => usable.columns.includes(name));
      for (let repeat = 0; repeat < repeats; repeat++) {
        const order =
          orderOf?.(feature, repeat, count) ?? permutation(count, `${rows.table.sha256} ${feature.name} ${repeat}`);
        if (all === undefined) continue;
        const mixed = (predictor: RowPredictor) => shuffled(predictor, feature.columns, order, all);
        const pair = await judged(mixed(candidate), both && usable !== undefined ? mixed(usable) : undefined);
        mine.push(measure(pair.candidate));
        if (pair.baseline !== undefined) others.push(measure(pair.baseline));
      }
      const ofBaseline =
        lossless.baseline === undefined || others.length < repeats
          ? undefined
          : { plain: lossless.baseline, shuffled: others };
      found.push({
        feature,
        ...importanceOf({ plain: lossless.candidate, shuffled: mine }, ofBaseline, {
          better: metric.better,
          rows: count,
          level: subject.level,
          seed: `${rows.table.sha256} importance`,
        }),
      });
      progress.update(index + 1, looked.length);
    }
  } finally {
    progress.end();
  }
  const left = features.length - looked.length;
  return {
    metric: metric.name,
    found: found.toSorted((one, other) => other.candidate.estimate - one.candidate.estimate),
    rows: count,
    repeats,
    notices:
      left === 0
        ? []
        : [
            {
              level: 'notice',
              message: `The first ${mostFeatures} of ${counted(features.length, 'feature')} are explained; explain.importance.groups puts features together.`,
            },
          ],
  };
}

/** The groups first, then every column that is in none. Columns that the model does not look at are left out. */
function featuresOf(
  { columns }: RowPredictor,
  groups: Readonly<Record<string, readonly string[]>>,
): readonly Feature[] {
  const together = Object.entries(groups).map(([name, of]) => ({
    name,
    columns: of.filter((each) => columns.includes(each)),
  }));
  const grouped = new Set(together.flatMap((group) => group.columns));
  const alone = [...new Set(columns)].filter((name) => !grouped.has(name)).map((name) => ({ name, columns: [name] }));
  return [...together.filter((group) => group.columns.length > 0), ...alone];
}

async function collected(rows: EvaluationRows, columns: readonly string[], count: number) {
  const batches = [];
  for await (const batch of rows.batches(columns, Math.max(1, count))) batches.push(batch);
  return batches;
}

/** The first metric that gates bound, else accuracy or R². */
function firstMetric(policy: EffectivePolicy, sample: Sample) {
  const bounded = boundedMetrics({ policy }).find(({ name }) => {
    const { task, needs } = metricOf(name, sample.task);
    return (
      task === sample.task &&
      (needs !== 'probabilities' || (sample.task === 'classification' && sample.probabilities !== undefined))
    );
  });
  const { metric, options } =
    bounded === undefined || (isOfClasses(bounded) && sample.task !== 'classification')
      ? { metric: metricOf(sample.task === 'regression' ? 'r2' : 'accuracy', sample.task), options: {} }
      : toMeasure(bounded, { pair: { candidate: sample } as Subject['pair'] });
  const of = metric as unknown as Metric<Sample>;
  return { metric, measure: (rows: Sample): Measure => of.on(rows, options satisfies MetricOptions) };
}

function figuresOf({ metric, found, rows, repeats }: Importances): readonly Figure[] {
  if (found.length === 0) return [];
  const rowOf = ({ feature }: Importance, { estimate, lower, upper }: Importance['candidate']) => ({
    name: feature.name,
    n: rows,
    estimate,
    lower,
    upper,
  });
  const changes = found.flatMap((each) => (each.change === undefined ? [] : [rowOf(each, each.change)]));
  const times = counted(repeats, 'shuffle');
  return [
    {
      kind: 'intervals',
      id: 'importance',
      title: `Importance of the features: ${metric} lost without one (${times})`,
      metric: `${metric} lost`,
      table: true,
      rows: found.map((each) => rowOf(each, each.candidate)),
    },
    ...(changes.length === 0
      ? []
      : [
          {
            kind: 'intervals' as const,
            id: 'importance-change',
            title: 'Change of importance against the baseline',
            metric: `${metric} lost, candidate less baseline`,
            table: true as const,
            rows: changes,
          },
        ]),
  ];
}

function thresholdNotice(policy: EffectivePolicy, { pair, seed }: Subject, aim: ThresholdAim): Notice {
  const place = policy.placeOf(['explain', 'threshold']);
  const { candidate } = pair;
  const found = candidate.task === 'classification' ? bestThreshold(candidate, aim, seed) : undefined;
  if (found === undefined) {
    return {
      level: 'notice',
      message: 'No threshold can be chosen: that takes probabilities of two classes, and rows of both.',
      place,
    };
  }
  const cost = typeof aim === 'object';
  const name = cost ? 'a mean cost a row of' : `${aim} of`;
  const text = (value: number) => numberText(cost ? -value : value);
  const threshold = policy.policy.model?.threshold;
  const now =
    threshold === undefined ? "the model's own labels give" : `model.threshold ${numberText(threshold)} gives`;
  const gains = found.corrected > found.current;
  const best = `The threshold ${numberText(found.threshold)} would give ${name} ${text(found.apparent)} on these rows, ${text(found.corrected)} when what is due to choosing it on them is taken off (Efron and Gong’s bootstrap)`;
  return {
    level: 'notice',
    message: `${best}; ${now} ${text(found.current)}${gains ? `: a gain of about ${numberText(found.corrected - found.current)}` : ', so no threshold is shown to be better'}.`,
    place,
  };
}
