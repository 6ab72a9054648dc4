import type { ModelSummary, Notice } from '../../../core/report/index.ts';
import { openBaseline } from '../baseline.ts';
import type { EvaluationRows } from '../evaluation-rows.ts';
import { summaryOf } from '../model-file.ts';
import { wire } from '../model-run.ts';
import type { RowGates } from '../row-gates.ts';
import type { RowPredictor, Task } from '../row-predictor.ts';
import type { ModelJudgement } from '../run.ts';
import type { NoBaseline } from '../subject.ts';
import type { SourceOptions } from './judge-predictions.ts';

/** What rows are held against, whoever predicts them. */
export interface RowBaseline extends AsyncDisposable {
  readonly predictor?: RowPredictor;
  readonly summary?: ModelSummary;
  readonly absence: NoBaseline;
  readonly notices: readonly Notice[];
}

/** None, and why. */
export function noRowBaseline(absence: NoBaseline): RowBaseline {
  return { absence, notices: [], [Symbol.asyncDispose]: async () => {} };
}

/** A model that is run here: a file, or what is released. */
export async function modelBaseline(
  { policy, directory, base, host, environment }: SourceOptions,
  rows: EvaluationRows,
  task: Task,
): Promise<RowBaseline> {
  const opened = await openBaseline(policy, directory, base, host, environment);
  const { model, path = 'the baseline', absence, notices } = opened;
  if (model === undefined) return { ...noRowBaseline(absence), notices };
  try {
    const place = policy.placeOf(['model', 'baseline']);
    const evaluation = opened.evaluation ?? rows.policy;
    const predictor = await wire({ model, path, place, policy: opened.policy, evaluation, task }, rows);
    const summary = summaryOf(path, model.facts);
    return { notices, absence, predictor, summary, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

/** Judges what is said of the rows, and tells of the baseline what a report tells. */
export async function judgedRows(
  gates: RowGates,
  candidate: RowPredictor,
  baseline: RowBaseline,
  rows: EvaluationRows,
): Promise<ModelJudgement> {
  const judged = await gates.judge(candidate, baseline.predictor, baseline.absence);
  const { kind, why } = judged.noBaseline;
  const absence: readonly Notice[] =
    why === '' ? [] : [{ level: kind === 'absent' ? 'notice' : 'warning', message: `${why}.` }];
  return {
    checks: judged.checks,
    figures: judged.figures,
    notices: [...baseline.notices, ...absence, ...judged.notices],
    ...(baseline.summary === undefined ? {} : { baseline: baseline.summary }),
    sources: [{ path: rows.policy.source, sha256: rows.table.sha256, rows: rows.table.rows }],
  };
}
