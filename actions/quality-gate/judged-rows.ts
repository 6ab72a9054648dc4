import type { Host } from '../../core/host/index.ts';
import type { Model } from '../../core/onnx/index.ts';
import type { EffectivePolicy, Policy } from '../../core/policy/index.ts';
import type { Place } from '../../core/problem/index.ts';
import type { Check, Figure, Notice } from '../../core/report/index.ts';
import type { Baseline } from './baseline.ts';
import { needsRows, tried } from './candidate-and-baseline.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { explainModel } from './explain/explain-model.ts';
import { failedRunChecks, isFailedRun } from './failed-run.ts';
import { judgeGuardrails } from './guardrail-gate.ts';
import { taskFor, type WiredModel, wire } from './model-run.ts';
import { openRowGates, type RowGates } from './row-gates.ts';
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
  readonly gates: RowGates;
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
  const gates = await openRowGates(policy, rows, host);
  const dispose = () => gates[Symbol.asyncDispose]();
  try {
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
    return { policy, rows, wired, wiredBaseline, noBaseline, gates, [Symbol.asyncDispose]: dispose };
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
  const { policy, rows, wired, wiredBaseline, gates } = of;
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
    const run = await gates.judge(wired, wiredBaseline, noBaseline).catch((error: unknown) => {
      if (isFailedRun(error)) return error;
      throw error;
    });
    if (run instanceof Error) return { checks: failedRunChecks(policy, run), figures, notices, noBaseline };
    noBaseline = run.noBaseline;
    take(run);
    const { subject } = run;
    if (explained) {
      const models = { rows, candidate: wired, baseline: wiredBaseline, host };
      take({ checks: [], ...(await explainModel(policy, subject, models)) });
    }
    take(await weakSliceChecks(subject, rows, { judged: checks.some(isJudged), declared: gates.slices }));
  }
  take(await judgeGuardrails(policy, wired, rows, host));
  return { checks, figures, notices, noBaseline };
}

/** Whether anything was found out. */
function isJudged({ status }: Check): boolean {
  return status !== 'skipped';
}
