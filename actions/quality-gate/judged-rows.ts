import type { Host } from '../../core/host/index.ts';
import type { Model } from '../../core/onnx/index.ts';
import type { EffectivePolicy, Policy } from '../../core/policy/index.ts';
import type { Place } from '../../core/problem/index.ts';
import type { Check, Figure, Notice } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { Baseline } from './baseline.ts';
import { needsRows, subjectOf, tried } from './candidate-and-baseline.ts';
import { classChecks } from './class-gate.ts';
import { type CustomMetrics, judgeCustomMetrics, openCustomMetrics } from './custom-metric-gate.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { explainModel } from './explain/explain-model.ts';
import { failedRunChecks, isFailedRun } from './failed-run.ts';
import { fairnessChecks } from './fairness-gate.ts';
import { figuresOf } from './figures.ts';
import { judgeGuardrails } from './guardrail-gate.ts';
import { metricChecks } from './metric-gate.ts';
import { taskFor, type WiredModel, wire } from './model-run.ts';
import { sliceChecks } from './slice-gate.ts';
import { type DeclaredSlice, slicesOf } from './slices/declared-slices.ts';
import { weakSliceChecks } from './slices/weak-slice-gate.ts';
import type { NoBaseline } from './subject.ts';

/** The models, and how the policy says to feed and read the candidate. */
export interface ModelsToJudge {
  readonly candidate: Model;
  readonly path: string;
  readonly place: Place;
  readonly policy: NonNullable<Policy['model']>;
  readonly baseline: Baseline;
}

/** Rows with the models wired to them, and everything read that could be refused. */
export interface RowsToJudge extends AsyncDisposable {
  readonly policy: EffectivePolicy;
  readonly rows: EvaluationRows;
  readonly wired: WiredModel;
  readonly wiredBaseline: WiredModel | undefined;
  readonly noBaseline: NoBaseline;
  readonly custom: CustomMetrics | undefined;
  readonly slices: readonly DeclaredSlice[];
}

export interface JudgedRows {
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
  readonly notices: readonly Notice[];
  readonly noBaseline: NoBaseline;
}

/** Reads slices and metrics of one's own and wires the models to the rows: what cannot be is refused before a model has run. */
export async function prepareRows(
  policy: EffectivePolicy,
  rows: EvaluationRows,
  { candidate, path, place, policy: modelPolicy, baseline }: ModelsToJudge,
  host: Host,
): Promise<RowsToJudge> {
  const custom = await openCustomMetrics(policy, rows, host);
  const dispose = async () => custom?.[Symbol.asyncDispose]();
  try {
    const slices = await slicesOf({ policy }, rows);
    const task = taskFor(policy.policy, candidate);
    const of = { model: candidate, path, place, policy: modelPolicy, evaluation: rows.policy, task };
    const wired = await wire(of, rows);
    let wiredBaseline: WiredModel | undefined;
    let noBaseline: NoBaseline = baseline.absence;
    const { model, policy: ofBaseline, evaluation: itsEvaluation, path: itsPath = 'the baseline' } = baseline;
    if (model !== undefined) {
      const its = { model, path: itsPath, place, policy: ofBaseline, evaluation: itsEvaluation ?? rows.policy, task };
      const result = await tried(() => wire(its, rows));
      if ('kind' in result) noBaseline = result;
      else wiredBaseline = result;
    }
    return { policy, rows, wired, wiredBaseline, noBaseline, custom, slices, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Runs the models on the rows and holds what they say against every bound that is measured on rows. `explained`: and says what they rest on. */
export async function judgeRows(
  of: RowsToJudge,
  host: Host,
  { explained }: { readonly explained: boolean },
): Promise<JudgedRows> {
  const { policy, rows, wired, wiredBaseline, custom, slices } = of;
  const checks: Check[] = [];
  const figures: Figure[] = [];
  const notices: Notice[] = [];
  let { noBaseline } = of;
  const take = (part: { checks: readonly Check[]; figures?: readonly Figure[]; notices?: readonly Notice[] }) => {
    checks.push(...part.checks);
    figures.push(...(part.figures ?? []));
    notices.push(...(part.notices ?? []));
  };
  if (needsRows(policy.policy.gates ?? {})) {
    host.info(`Run the models on ${rows.table.rows.toLocaleString('en-US')} rows of ${excerpt(rows.policy.source)}`);
    const run = await subjectOf(policy, rows, wired, wiredBaseline, noBaseline, host).catch((error: unknown) => {
      if (isFailedRun(error)) return error;
      throw error;
    });
    if (run instanceof Error) return { checks: failedRunChecks(policy, run), figures, notices, noBaseline };
    const { subject, notices: said } = run;
    noBaseline = subject.noBaseline;
    take({ checks: metricChecks(subject), figures: figuresOf(subject), notices: said });
    take({ checks: classChecks(subject) });
    const own = custom === undefined ? { checks: [], measured: [] } : await judgeCustomMetrics(custom, subject);
    take(own);
    take(sliceChecks(subject, rows, slices, own.measured));
    take(await fairnessChecks(subject, rows));
    if (explained) {
      const models = { rows, candidate: wired, baseline: wiredBaseline, host };
      take({ checks: [], ...(await explainModel(policy, subject, models)) });
    }
    take(await weakSliceChecks(subject, rows, { judged: checks.some(isJudged), declared: slices }));
  }
  take(await judgeGuardrails(policy, wired, rows, host));
  return { checks, figures, notices, noBaseline };
}

/** Whether anything was found out. */
function isJudged({ status }: Check): boolean {
  return status !== 'skipped';
}
