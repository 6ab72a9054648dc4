import { isDeepStrictEqual } from 'node:util';
import { type Place, SluiceError } from '../problem/index.ts';
import type { PolicyDifference } from '../report/index.ts';
import { excerpt } from '../text/index.ts';
import { canarySchema } from './canary-schema.ts';
import { leaksOf } from './contradictions.ts';
import { policyDefaults } from './defaults.ts';
import { mixedTasksOf } from './gate-contradictions.ts';
import { Ledger } from './ledger.ts';
import type { LoadedPolicy } from './loaded-policy.ts';
import {
  baseElseHead,
  baseWins,
  fields,
  headWins,
  larger,
  largerChange,
  type Merge,
  oneSided,
  outsideFromBase,
  smaller,
  smallerChange,
  stricterOfChoices,
} from './merge.ts';
import { newNamesOf } from './outside-names.ts';
import type { PolicyPath } from './policy-path.ts';
import {
  type FairnessMetric,
  fairnessMetrics,
  type Gates,
  type MetricBound,
  type MetricName,
  metricNames,
  type Policy,
  type Variant,
} from './schema.ts';
import { smokeSchema } from './smoke-schema.ts';
import { contradictionsOfSource } from './source-contradictions.ts';
import { mergeCustomMetrics } from './stricter-custom-metrics.ts';
import { mergeData, reason, severity } from './stricter-data.ts';
import { mergeDrift } from './stricter-drift.ts';
import { mergeEngines } from './stricter-engines.ts';
import { mergeEpisodeGates, mergeEpisodes } from './stricter-episodes.ts';
import { mergeEvaluationSets, type SetGates } from './stricter-evaluation-sets.ts';
import { mergeGuardrails } from './stricter-guardrails.ts';
import { mergeSignature } from './stricter-signature.ts';
import { mergeSlices } from './stricter-slices.ts';
import { isBaselineOutside, mergeEndpoint, mergePredictions, mergeRun, withSourceOfBase } from './stricter-source.ts';
import { variantsBy } from './stricter-variants.ts';
import { withoutPartsThatWait } from './waiting-parts.ts';

/** The policy a run is judged by. */
export interface EffectivePolicy {
  readonly policy: Policy;
  /** The head's file. */
  readonly file: string;
  readonly origin: 'base-and-head' | 'head-only';
  /** Every value that the two policies have different, in the order of the schema. */
  readonly differences: readonly PolicyDifference[];
  /** The base's policy as written: its `model` and `evaluation` say how the baseline model is fed. Absent with `head-only`. */
  readonly base?: Policy;
  placeOf(path: PolicyPath): Place;
}

type Model = NonNullable<Policy['model']>;
type Baseline = NonNullable<Model['baseline']>;
type Evaluation = NonNullable<Policy['evaluation']>;
type Fairness = NonNullable<Gates['fairness']>;
type FairnessBound = NonNullable<Fairness[FairnessMetric]>;

const model = withSourceOfBase(
  fields<Model>({
    path: headWins(),
    predictions: mergePredictions,
    endpoint: mergeEndpoint,
    run: mergeRun,
    baseline: outsideFromBase(isBaselineOutside, (base, head, at) =>
      (base === 'none' ? headWins<Baseline>() : baseWins<Baseline>(policyDefaults.baseline))(base, head, at),
    ),
    task: headWins(),
    inputs: headWins(),
    outputs: headWins(),
    classes: headWins(),
    threshold: headWins(),
  }),
);

const metricBound = fields<MetricBound>({
  min: larger(),
  max: smaller(),
  max_regression: smallerChange,
  min_improvement: largerChange,
  average: baseWins(),
  multi_class: baseWins(),
  weights: baseWins(),
  k: baseWins(),
  severity,
  reason,
});
const fairnessBound = fields<FairnessBound>({ min: larger(), max: smaller(), severity, reason });

const fairness = fields<Fairness>({
  group: baseWins(),
  // More groups are no stricter: a small one widens the interval of the widest difference until nothing is shown.
  min_rows: baseWins(policyDefaults.min_rows),
  ...(Object.fromEntries(fairnessMetrics.map((metric) => [metric, fairnessBound])) as Record<
    FairnessMetric,
    Merge<FairnessBound>
  >),
});

const rowGates = {
  ...(Object.fromEntries(metricNames.map((metric) => [metric, metricBound])) as Record<MetricName, Merge<MetricBound>>),
  custom: mergeCustomMetrics,
  fairness,
};

const sets = mergeEvaluationSets(fields<SetGates>(rowGates));
const evaluationKeys = fields<Evaluation>({
  source: baseWins(),
  target: baseWins(),
  positive: baseWins(),
  query: baseWins(),
  features: baseWins(),
  ignore: baseWins(),
  slices: mergeSlices,
  min_rows: smaller(policyDefaults.min_rows),
  // It warns only; until the merge it looks where the base looks.
  weak_slices: baseWins(),
  sets,
});
const evaluation: Merge<Evaluation> = (base, head, at) => {
  if (base !== undefined || head?.sets === undefined) return evaluationKeys(base, head, at);
  const { sets: added, ...rest } = head;
  const kept = oneSided(undefined, rest, at);
  const both = sets(undefined, added, at.field('sets'));
  return kept === undefined || both === undefined ? kept : { ...kept, sets: both };
};

const gates = fields<Gates>({
  ...rowGates,
  guardrails: mergeGuardrails,
  ...mergeEpisodeGates,
  latency: fields<NonNullable<Gates['latency']>>({
    p50_ms: smaller(),
    p95_ms: smaller(),
    p99_ms: smaller(),
    mean_ms: smaller(),
    cold_start_ms: smaller(),
    min_throughput: larger(),
    // Less time settles less.
    time_budget: baseWins(policyDefaults.latency.time_budget),
    max_regression: smallerChange as Merge<string>,
    batch_size: baseWins(policyDefaults.batch_size),
    // Naming the hardware makes milliseconds binding.
    hardware: baseElseHead(),
    severity,
    reason,
  }),
  size: fields<NonNullable<Gates['size']>>({
    max_mb: smaller(),
    max_memory_mb: smaller(),
    max_parameters: smaller(),
    max_operators: smaller(),
    max_macs: smaller(),
    min_opset: larger(),
    max_regression: smallerChange,
    severity,
    reason,
  }),
  signature: mergeSignature,
  variants: variantsBy(
    fields<NonNullable<Variant['metrics']>>(
      Object.fromEntries(metricNames.map((metric) => [metric, metricBound])) as Record<MetricName, Merge<MetricBound>>,
    ),
  ),
});

type Waivers = NonNullable<Policy['waivers']>;
/** A waiver takes effect, or ends, with the merge. */
const waivers: Merge<Waivers> = (base, head, at) => {
  const missingIn = (all: Waivers | undefined, waiver: Waivers[number]) =>
    !(all ?? []).some((known) => isDeepStrictEqual(known, waiver));
  for (const [index, waiver] of (base ?? []).entries()) {
    const inHead = (head ?? []).findIndex((known) => isDeepStrictEqual(known, waiver));
    const spot = at.entry({
      suffix: `[${waiver.check}]`,
      effective: index,
      base: index,
      head: inHead === -1 ? undefined : inHead,
    });
    if (inHead === -1) spot.differs(waiver, undefined, 'base');
  }
  for (const [index, waiver] of (head ?? []).entries()) {
    // Not an entry of the effective list, so its number there is past the end.
    if (missingIn(base, waiver)) {
      const effective = (base ?? []).length + index;
      at.entry({ suffix: `[${waiver.check}]`, effective, head: index }).differs(undefined, waiver, 'base');
    }
  }
  return base;
};

type Smoke = NonNullable<Policy['smoke']>;
/** What runs is tested after the merge, so the head's counts as a whole, also where it is silent; every difference is still told. */
const smokeKeys = fields<Smoke>(
  Object.fromEntries(Object.keys(smokeSchema.shape).map((key) => [key, headWins()])) as {
    readonly [Key in keyof Smoke]-?: Merge<Exclude<Smoke[Key], undefined>>;
  },
);
const smoke: Merge<Smoke> = (base, head, at) =>
  base === undefined || head === undefined ? headWins<Smoke>()(base, head, at) : smokeKeys(base, head, at);

type Canary = NonNullable<Policy['canary']>;
/** What is released is opened after the merge, too. */
const canaryKeys = fields<Canary>(
  Object.fromEntries(Object.keys(canarySchema.shape).map((key) => [key, headWins()])) as {
    readonly [Key in keyof Canary]-?: Merge<Exclude<Canary[Key], undefined>>;
  },
);
const canary: Merge<Canary> = (base, head, at) =>
  base === undefined || head === undefined ? headWins<Canary>()(base, head, at) : canaryKeys(base, head, at);

const policy = fields<Policy>({
  version: baseWins(),
  name: baseWins(),
  model,
  data: mergeData,
  evaluation,
  episodes: mergeEpisodes,
  gates,
  // It decides nothing.
  explain: headWins(),
  drift: mergeDrift,
  engines: mergeEngines,
  smoke,
  canary,
  evidence: baseWins(policyDefaults.evidence),
  on_inconclusive: stricterOfChoices(['pass', 'warn', 'error'], policyDefaults.on_inconclusive),
  waivers,
});

/**
 * The policy a pull request is judged by: of each demand the stricter of the two, so that a pull request can't lower its own gate.
 * What has no order of strictness (another target, `5%` against `0.01`) stays the base's until the merge; what describes the
 * candidate (`model.path`, `inputs`, ...) is the head's. What names something outside of the repository is the base's, wherever it stands.
 *
 * Throws a `SluiceError` (never a `PolicyError`: each of the two is valid) when the two cannot stand together: the head feeds its model the base's target,
 * or they judge different tasks.
 */
export function stricterOf(base: LoadedPolicy, head: LoadedPolicy): EffectivePolicy {
  const ledger = new Ledger(base, head);
  const judged = withoutPartsThatWait(base.policy, head.policy, ledger.root());
  const effective = policy(base.policy, judged, ledger.root()) ?? base.policy;
  const placeOf = (path: PolicyPath) => ledger.placeOf(path);
  const [conflict] = [...leaksOf(effective), ...mixedTasksOf(effective), ...contradictionsOfSource(effective)];
  if (conflict !== undefined) {
    const { path, lackingIn: _, ...problem } = conflict;
    throw new SluiceError({
      ...problem,
      code: `policies-conflict/${problem.code}`,
      message: `the base's policy and this one cannot stand together, and the base's counts until the merge: ${problem.message}`,
      place: placeOf(path),
    });
  }
  const [added] = newNamesOf(effective, base.policy);
  if (added !== undefined) {
    throw new SluiceError({
      code: 'policies-conflict/outside',
      message: `the base's policy does not name ${excerpt(added.name, 100)}, and a pull request cannot have the job's credentials read from it`,
      place: placeOf(added.path),
      fix: 'Add it by a pull request of its own, which changes nothing else of this part of the policy.',
    });
  }
  return {
    policy: effective,
    file: head.file,
    origin: 'base-and-head',
    differences: ledger.differences,
    base: base.policy,
    placeOf,
  };
}

/** The policy of a run without a base: a first pull request, a push, a laptop. */
export function headOnly(head: LoadedPolicy): EffectivePolicy {
  return { policy: head.policy, file: head.file, origin: 'head-only', differences: [], placeOf: head.placeOf };
}
