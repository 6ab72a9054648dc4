import { sluiceProfile } from './profiles/sluice.ts';
import { boundTexts, literal, quoted } from './promql-text.ts';
import { aggregated, isNoQuery, type NoQuery, type QueryScope, scopeText } from './query.ts';
import { recordedSeries } from './recorded-series.ts';
import { servingMetrics } from './serving-metrics.ts';

const { predictionValue, predictionClass } = servingMetrics;

/** The least share a bin is taken to have: an empty one would make both divergences infinite. As in the drift checks of `sluice.yaml`. */
const leastShare = 0.0001;

/** PromQL that finds how what a model answers is distributed, in the order in which it has to be recorded. */
export interface PredictionShares {
  /** Labels that tell apart what is compared with itself over time: namespace, model, version, output. */
  readonly labels: readonly string[];
  /** To be recorded as `predictionBuckets`. */
  readonly buckets: string;
  /** To be recorded as `predictionShare`; reads `predictionBuckets`. */
  readonly share: string;
  /** Values looked at per second, by the same labels. */
  readonly seen: string;
}

/**
 * The shares of an output's values by bin: a histogram's buckets apart from each other, and the classes of a label output. PromQL has no way
 * to subtract one bucket from the next, so each bin is a term of its own; they read recorded sums, not the pods' histograms.
 */
export function predictionShares(scope: QueryScope & { readonly window: string }): PredictionShares | NoQuery {
  const text = scopeText(sluiceProfile, { ...scope, by: [...(scope.by ?? []), { label: 'output' }] });
  if (isNoQuery(text)) return text;
  const { by, range } = text;
  const recordedBuckets = recordedSeries('predictionBuckets', scope.window);
  const bounds = [...predictionValue.buckets, Number.POSITIVE_INFINITY];
  const upTo = (bound: number): string => {
    const texts = boundTexts(bound);
    const [only = ''] = texts;
    return `${recordedBuckets}{${texts.length === 1 ? `le=${quoted(only)}` : `le=~${quoted(texts.map(literal).join('|'))}`}}`;
  };
  const bins = bounds.map((bound, index) => {
    const below = bounds[index - 1];
    const inBin =
      below === undefined ? `sum without(le) (${upTo(bound)})` : `${upTo(bound)} - ignoring(le) ${upTo(below)}`;
    const name = boundTexts(bound)[0] ?? '';
    return `label_replace(${inBin}, "bin", ${quoted(`<=${name}`)}, "", "")`;
  });
  const all = `sum without(le) (${upTo(Number.POSITIVE_INFINITY)})`;
  const numbers = `clamp_min(${bins.join(' or ')}, 0) / ignoring(bin) group_left() (${all} > 0)`;
  const classRate = `rate(${predictionClass.name}${text.matchers()}[${range}])`;
  const classes = `${aggregated('sum', [...by, 'class'], classRate)} / ignoring(class) group_left() (${aggregated('sum', by, classRate)} > 0)`;
  const valueRate = aggregated(
    'sum',
    [...by, 'le'],
    `rate(${predictionValue.name}_bucket${text.matchers()}[${range}])`,
  );
  const counted = aggregated('sum', by, `rate(${predictionValue.name}_count${text.matchers()}[${range}])`);
  return {
    labels: by,
    buckets: valueRate,
    // An output that is a number and sometimes NaN has both; its bins count.
    share: `${numbers} or label_replace(${classes}, "bin", "$1", "class", "(.*)") unless on(${by.join(',')}) ${all}`,
    seen: `${counted} or ${aggregated('sum', by, classRate)}`,
  };
}

/** Two distributions as instant vectors of shares, each with the labels `by` and `bin`. */
export interface SharePair {
  readonly now: string;
  readonly reference: string;
  readonly by: readonly string[];
}

/**
 * Population stability index of shares against a reference, one answer for each set of the labels. A bin that only one of the two has counts
 * as empty in the other; where there is no reference at all there is no answer.
 *
 * Siddiqi, Credit Risk Scorecards (2006): sum of (p - q) ln(p / q); below 0.1 little, above 0.25 (here and in `sluice.yaml`: 0.2) much.
 */
export function populationStability(pair: SharePair): string {
  return divergence(pair, (p, q) => `(${p} - ${q}) * ln(${p} / ${q})`);
}

/** Kullback-Leibler divergence of shares from a reference, in nats: sum of p ln(p / q). Bins as in `populationStability`. */
export function kullbackLeibler(pair: SharePair): string {
  return divergence(pair, (p, q) => `${p} * ln(${p} / ${q})`);
}

function divergence({ now, reference, by }: SharePair, term: (p: string, q: string) => string): string {
  const bins = [...by, 'bin'];
  const p = `clamp_min(${aggregated('sum', bins, `${now} or ${reference} * 0`)}, ${leastShare})`;
  const q = `clamp_min(${aggregated('sum', bins, `${reference} or ${now} * 0`)}, ${leastShare})`;
  const both = (shares: string) => `on(${by.join(',')}) ${aggregated('sum', by, shares)}`;
  return `${aggregated('sum', by, term(p, q))} and ${both(now)} and ${both(reference)}`;
}
