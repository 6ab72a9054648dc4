import type { Engine } from '../../../core/data/index.ts';
import type { Host } from '../../../core/host/index.ts';
import type { Environment } from '../../../core/mlflow/index.ts';
import { type EffectivePolicy, type PredictionsSource, policyDefaults } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import type { BaseFiles } from '../../../github/index.ts';
import { newBaseline } from '../baseline-file.ts';
import { tried } from '../candidate-and-baseline.ts';
import { type EvaluationRows, openEvaluation } from '../evaluation-rows.ts';
import { taskOfPolicy } from '../model-run.ts';
import { openRowGates } from '../row-gates.ts';
import type { Task } from '../row-predictor.ts';
import type { ModelJudgement } from '../run.ts';
import { openPredictions, openPredictionsAtBase, type PredictionsFile, pathOf } from './predictions-file.ts';
import { judgedRows, modelBaseline, noRowBaseline, type RowBaseline } from './row-baseline.ts';

export interface SourceOptions {
  readonly policy: EffectivePolicy;
  readonly directory: string;
  readonly engine: Engine;
  readonly base?: BaseFiles | undefined;
  readonly host: Host;
  readonly environment: Environment;
}

/** Judges predictions that another program has written down, by the same gates as a model that is run here. */
export async function judgePredictions(source: PredictionsSource, options: SourceOptions): Promise<ModelJudgement> {
  const { policy, directory, engine, host } = options;
  const rows = await openEvaluation(policy, directory, engine);
  await using gates = await openRowGates(policy, rows, host);
  const of: PredictionsFile = {
    source,
    shown: pathOf(source),
    place: policy.placeOf(['model', 'predictions']),
    task: taskOfPolicy(policy.policy),
    classes: policy.policy.model?.classes,
    threshold: policy.policy.model?.threshold,
  };
  const candidate = await openPredictions(of, rows, directory);
  await using baseline = await baselineOf({ ...of, task: candidate.task }, candidate.task, rows, options);
  return await judgedRows(gates, candidate, baseline, rows);
}

/** What the predictions are held against: others of the base commit, of a file of its own, or a model that is run here. */
async function baselineOf(
  candidate: PredictionsFile,
  task: Task,
  rows: EvaluationRows,
  options: SourceOptions,
): Promise<RowBaseline> {
  const { policy, directory, base } = options;
  const chosen = policy.policy.model?.baseline ?? policyDefaults.baseline;
  const absent = (why: string) => noRowBaseline({ kind: 'absent', why });
  const nothing = absent('');
  if (chosen === 'none') return absent('There is no baseline to compare with: model.baseline is none');

  const place = policy.placeOf(['model', 'baseline']);
  const found = await tried(async (): Promise<RowBaseline> => {
    if (chosen === 'base' || 'predictions' in chosen) {
      const ofBase = policy.base?.model;
      const source = chosen === 'base' ? (ofBase?.predictions ?? candidate.source) : chosen.predictions;
      const path = pathOf(source);
      const like = {
        ...candidate,
        source,
        place,
        classes: (ofBase ?? candidate).classes,
        threshold: (ofBase ?? candidate).threshold,
      };
      const atBase =
        base === undefined
          ? undefined
          : await openPredictionsAtBase({ ...like, shown: `${path}@${base.sha.slice(0, 12)}` }, base, rows);
      if (atBase !== undefined) return { ...nothing, predictor: atBase };
      if (chosen === 'base') {
        return absent(
          base === undefined
            ? 'There is no base commit, so no baseline to compare with'
            : `The base commit ${base.sha.slice(0, 12)} has no ${excerpt(path)}, so there is no baseline to compare with`,
        );
      }
      const checkedOut = await openPredictions({ ...like, shown: path }, rows, directory);
      const notices = base === undefined ? [] : [newBaseline(path, base)];
      return { ...nothing, notices, predictor: checkedOut };
    }
    return modelBaseline(options, rows, task);
  });
  return 'kind' in found ? noRowBaseline(found) : found;
}
