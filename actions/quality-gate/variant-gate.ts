import { lstat, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Host } from '../../core/host/index.ts';
import type { Model } from '../../core/onnx/index.ts';
import {
  durationMs,
  type EffectivePolicy,
  type PolicyPath,
  policyDefaults,
  type Variant,
} from '../../core/policy/index.ts';
import { describeProblem, SluiceError } from '../../core/problem/index.ts';
import type { Check, Figure } from '../../core/report/index.ts';
import { exactInterval, type Interval, wilsonInterval } from '../../core/statistics/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { repositoryRoot } from '../../github/index.ts';
import { boundCheck, type Demand, unjudged } from './bound-check.ts';
import { subjectOf } from './candidate-and-baseline.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { speedCheck } from './latency-gate.ts';
import { type Latency, measureLatency } from './latency-measurement.ts';
import { metricChecks } from './metric-gate.ts';
import { openModelFile } from './model-file.ts';
import { type WiredModel, wire } from './model-run.ts';
import { readyToTime, withStopwatch } from './model-timer.ts';
import { numberText } from './number-text.ts';
import type { Subject } from './subject.ts';

interface Judging {
  readonly policy: EffectivePolicy;
  readonly directory: string;
  readonly candidate: Model;
  readonly wired: WiredModel | undefined;
  readonly rows: EvaluationRows | undefined;
  readonly level: number | 'off';
  readonly seed: string;
  readonly host: Host;
}

/** A variant's row of the table, as far as it was measured. */
interface Row {
  readonly name: string;
  readonly bytes?: number;
  readonly agreement?: Interval;
  readonly speed?: Interval;
  readonly metrics: readonly { readonly title: string; readonly observed: number; readonly of: number }[];
}

/**
 * Holds other files of the candidate (quantized, distilled) against the candidate itself, on the same rows and side by side: metrics with their
 * change, agreement, size and speed. Each is scanned and run as the candidate is. One that cannot be run is an error of its own
 * bounds and of nothing else; the size of a GGUF or safetensors file, which does not run here, is judged all the same.
 */
export async function judgeVariants(judging: Judging): Promise<{
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
}> {
  const variants = judging.policy.policy.gates?.variants ?? [];
  const checks: Check[] = [];
  const table: Row[] = [];
  for (const [index, variant] of variants.entries()) {
    judging.host.info(`Judge the variant ${variant.name}: ${excerpt(variant.path)}`);
    const judged = await judgeVariant(variant, index, judging);
    checks.push(...judged.checks);
    table.push(judged.row);
  }
  return { checks, figures: variants.length === 0 ? [] : [tableOf(table, judging)] };
}

async function judgeVariant(
  variant: Variant,
  index: number,
  judging: Judging,
): Promise<{ readonly checks: readonly Check[]; readonly row: Row }> {
  const { policy, directory, candidate } = judging;
  const place = policy.placeOf(['gates', 'variants', index, 'path']);
  const file = resolve(directory, variant.path);
  const opened = await attempt(() =>
    openModelFile({ file, path: variant.path, place, within: repositoryRoot(directory) }, judging.host),
  );
  if ('why' in opened) {
    const bytes = opened.foreign ? await bytesOf(file) : undefined;
    const size = sizeCheck(variant, index, bytes, candidate, policy, opened.why);
    const rest = demandsWithRows(variant, index, policy).map((demand) => unjudged(demand, opened.why));
    return {
      checks: [...size, ...rest],
      row: { name: variant.name, ...(bytes === undefined ? {} : { bytes }), metrics: [] },
    };
  }
  await using model = opened.result;
  const { bytes } = model.facts;
  const [rows, speed] = [
    await compareRows(variant, index, model, judging),
    await compareSpeed(variant, index, model, judging),
  ];
  return {
    checks: [...sizeCheck(variant, index, bytes, candidate, policy, ''), ...rows.checks, ...speed.checks],
    row: { name: variant.name, bytes, ...rows.row, ...speed.row },
  };
}

type Attempt<Result> = { readonly result: Result } | { readonly why: string; readonly foreign: boolean };

async function attempt<Result>(work: () => Promise<Result>): Promise<Attempt<Result>> {
  try {
    return { result: await work() };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const [problem] = error.problems;
    // Only what was recognised as weights: a pointer or a page that a login sent is small as well.
    const foreign = problem.code === 'not-onnx' && /^a (GGUF model|safetensors file)/.test(problem.found ?? '');
    return { why: describeProblem(problem).replace(/\.$/, ''), foreign };
  }
}

/** Bytes of a file that the scan found inside the checkout. */
async function bytesOf(file: string): Promise<number | undefined> {
  return lstat(await realpath(file)).then((stats) => (stats.isFile() ? stats.size : undefined));
}

function demandOf(variant: Variant, index: number, key: keyof Variant, title: string, policy: EffectivePolicy): Demand {
  const value = Number(variant[key]);
  return {
    id: `gate/variants/${variant.name}/${key}`,
    title: `${variant.name}: ${title}`,
    bound: { kind: key === 'min_agreement' ? 'min' : 'max', value },
    unit: key === 'min_agreement' ? 'share' : 'ratio',
    severity: variant.severity,
    reason: variant.reason,
    place: policy.placeOf(['gates', 'variants', index, key]),
  };
}

/** What is asked of it beside its size. */
function demandsWithRows(variant: Variant, index: number, policy: EffectivePolicy): readonly Demand[] {
  const metrics = Object.entries(variant.metrics ?? {}).flatMap(([metric, bound]) =>
    (['min', 'max', 'max_regression', 'min_improvement'] as const).flatMap((key): readonly Demand[] => {
      const value = bound?.[key];
      if (value === undefined) return [];
      const id = `gate/variants/${variant.name}/${metric}/${key}`;
      const place = policy.placeOf(['gates', 'variants', index, 'metrics', metric, key]);
      const { severity, reason } = {
        severity: bound?.severity ?? variant.severity,
        reason: bound?.reason ?? variant.reason,
      };
      return [
        {
          id,
          title: `${variant.name}: ${metric}, ${key} ${value}`,
          bound: { kind: key, value },
          unit: 'none',
          severity,
          reason,
          place,
        },
      ];
    }),
  );
  return [
    ...metrics,
    ...(variant.min_agreement === undefined ? [] : [agreementDemand(variant, index, policy)]),
    ...(variant.max_latency_ratio === undefined ? [] : [speedDemand(variant, index, policy)]),
  ];
}

function agreementDemand(variant: Variant, index: number, policy: EffectivePolicy): Demand {
  return demandOf(variant, index, 'min_agreement', `agrees on ≥ ${variant.min_agreement}`, policy);
}

function speedDemand(variant: Variant, index: number, policy: EffectivePolicy): Demand {
  return demandOf(variant, index, 'max_latency_ratio', `a call ≤ ${variant.max_latency_ratio} times as long`, policy);
}

function sizeCheck(
  variant: Variant,
  index: number,
  bytes: number | undefined,
  { facts }: Model,
  policy: EffectivePolicy,
  why: string,
): readonly Check[] {
  if (variant.max_size_ratio === undefined) return [];
  const title = `≤ ${variant.max_size_ratio} times the size`;
  const demand = demandOf(variant, index, 'max_size_ratio', title, policy);
  if (bytes === undefined) return [unjudged(demand, why)];
  const ratio = bytes / facts.bytes;
  return [
    boundCheck(demand, {
      observed: ratio,
      interval: exactInterval(ratio),
      said: `It has ${bytes.toLocaleString('en-US')} bytes, the model ${facts.bytes.toLocaleString('en-US')}: ${numberText(ratio, variant.max_size_ratio)} times`,
    }),
  ];
}

/** Metrics and agreement, both files run on the same rows: the variant as a candidate, the model as its baseline. */
async function compareRows(
  variant: Variant,
  index: number,
  model: Model,
  { policy, wired, rows, host }: Judging,
): Promise<{ readonly checks: readonly Check[]; readonly row: Pick<Row, 'agreement' | 'metrics'> }> {
  const demands = demandsWithRows({ ...variant, max_latency_ratio: undefined }, index, policy);
  if (demands.length === 0 || rows === undefined || wired === undefined) return { checks: [], row: { metrics: [] } };
  const own = gatesOf(policy, variant, index);
  const attempted = await attempt(async () => {
    const place = policy.placeOf(['gates', 'variants', index, 'path']);
    const other = await wire({ ...wired, model, path: variant.path, place }, rows);
    return subjectOf(own, rows, other, wired, { kind: 'absent', why: '' }, host);
  });
  if ('why' in attempted)
    return { checks: demands.map((demand) => unjudged(demand, attempted.why)), row: { metrics: [] } };
  const { subject } = attempted.result;
  const metrics = metricChecks(subject).map((check) => ({
    ...check,
    id: check.id.replace(/^gate\//, `gate/variants/${variant.name}/`),
    title: `${variant.name}: ${check.title}`,
    message: `${check.message} The baseline of a variant is the model itself.`,
  }));
  const agreement = agreementOf(subject);
  const asked = variant.min_agreement === undefined ? [] : [agreementDemand(variant, index, policy)];
  return {
    checks: [
      ...metrics,
      ...asked.map((demand) =>
        typeof agreement === 'string'
          ? unjudged(demand, agreement)
          : boundCheck(demand, {
              observed: agreement.estimate,
              interval: agreement,
              rows: agreement.n,
              said: `It says the same class as the model on ${numberText(agreement.estimate * 100)} % of ${agreement.n.toLocaleString('en-US')} rows`,
            }),
      ),
    ],
    row: {
      ...(typeof agreement === 'string' ? {} : { agreement }),
      metrics: metrics.flatMap(({ title, observed, baseline }) =>
        typeof observed === 'number' && baseline !== undefined ? [{ title, observed, of: baseline }] : [],
      ),
    },
  };
}

/** A policy whose metrics are the variant's, each at its own line. */
function gatesOf(policy: EffectivePolicy, { metrics = {}, severity, reason }: Variant, index: number): EffectivePolicy {
  const gates = Object.fromEntries(
    Object.entries(metrics).map(([name, bound]) => [
      name,
      { ...(severity === undefined ? {} : { severity }), ...(reason === undefined ? {} : { reason }), ...bound },
    ]),
  );
  return {
    ...policy,
    policy: { ...policy.policy, gates },
    placeOf: (path: PolicyPath) =>
      policy.placeOf(path[0] === 'gates' ? ['gates', 'variants', index, 'metrics', ...path.slice(1)] : path),
  };
}

/** The share of rows with the same class, or why there is none. */
function agreementOf({ pair: { candidate, baseline }, broken, level }: Subject): Interval | string {
  if (broken !== undefined) return broken;
  if (candidate.task !== 'classification' || baseline?.task !== 'classification') {
    return 'Agreement is of one class a row, and the model says another thing; bound a metric of it instead';
  }
  const rows = candidate.predicted.length;
  let same = 0;
  for (let row = 0; row < rows; row++) if (candidate.predicted[row] === baseline.predicted[row]) same++;
  return level === 'off' ? exactInterval(same / rows, rows, 'point') : wilsonInterval(same, rows, level);
}

async function compareSpeed(
  variant: Variant,
  index: number,
  model: Model,
  { policy, candidate, wired, rows, level, seed, host }: Judging,
): Promise<{ readonly checks: readonly Check[]; readonly row: Pick<Row, 'speed'> }> {
  const allowed = variant.max_latency_ratio;
  if (allowed === undefined) return { checks: [], row: {} };
  const demand = speedDemand(variant, index, policy);
  const latency = policy.policy.gates?.latency;
  const batch = latency?.batch_size ?? policyDefaults.batch_size;
  const attempted = await attempt<Latency>(async () => {
    const own = wired === undefined || rows === undefined ? undefined : await wire({ ...wired, model }, rows);
    const models = {
      candidate: await readyToTime({ model, wired: own }, rows, batch),
      baseline: await readyToTime({ model: candidate, wired }, rows, batch),
    };
    return withStopwatch(models, { native: { host } }, (stopwatch) =>
      measureLatency(stopwatch, {
        budget: durationMs(latency?.time_budget ?? policyDefaults.latency.time_budget) ?? 0,
        calls: 0,
        compare: true,
        settled: (ratio) => ratio.lower > allowed || ratio.upper <= allowed,
        seed: `${seed}/${variant.name}`,
      }),
    );
  });
  if ('why' in attempted) return { checks: [unjudged(demand, attempted.why)], row: {} };
  const { ratio } = attempted.result;
  return {
    checks: [speedCheck(demand, attempted.result, allowed, level, "the model's")],
    row: ratio === undefined ? {} : { speed: ratio },
  };
}

/** One row a variant, the model's own first. */
function tableOf(rows: readonly Row[], { candidate }: Judging): Figure {
  const between = ({ estimate, lower, upper }: Interval, scale = 1) =>
    `${numberText(estimate * scale)} (${numberText(lower * scale)} to ${numberText(upper * scale)})`;
  const { bytes } = candidate.facts;
  return {
    kind: 'table',
    id: 'variants',
    title: 'Variants beside the model',
    columns: ['Variant', 'Bytes', 'Size', 'Agreement', 'Time of a call', 'Metrics (the model’s)'],
    rows: [
      ['the model', bytes.toLocaleString('en-US'), '1 times', '', '1 times', ''],
      ...rows.map(({ name, bytes: own, agreement, speed, metrics }) => [
        name,
        own === undefined ? '' : own.toLocaleString('en-US'),
        own === undefined ? '' : `${numberText(own / bytes)} times`,
        agreement === undefined ? '' : `${between(agreement, 100)} %`,
        speed === undefined ? '' : `${between(speed)} times`,
        metrics
          .map(
            ({ title, observed, of }) => `${title.slice(name.length + 2)}: ${numberText(observed)} (${numberText(of)})`,
          )
          .join('; '),
      ]),
    ],
  };
}
