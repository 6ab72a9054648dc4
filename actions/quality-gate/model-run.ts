import { type FilledFeeding, feedingsOf, fixedBatch, requireFeedable } from '../../core/evaluation/index.ts';
import type { Host } from '../../core/host/index.ts';
import { disparities } from '../../core/metrics/index.ts';
import type { Model } from '../../core/onnx/index.ts';
import {
  classificationMetrics,
  type FairnessMetric,
  fairnessMetrics,
  type Policy,
  regressionMetrics,
} from '../../core/policy/index.ts';
import { ModelError, type Place } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { chooseOutputs, namesOf, type Predictions, predict, type Task, taskOf } from './predictions.ts';

/** A model, and how the policy that came with it says to feed and read it. */
export interface ModelToRun {
  readonly model: Model;
  readonly path: string;
  readonly place: Place;
  readonly policy: NonNullable<Policy['model']>;
  readonly evaluation: NonNullable<Policy['evaluation']>;
  readonly task: Task;
}

/** A model wired to the evaluation rows. */
export interface WiredModel extends ModelToRun {
  readonly feedings: readonly FilledFeeding[];
  /** Rows a call, where the model fixes it. */
  readonly batch?: number;
  /** The outputs that are read. */
  readonly outputs: readonly string[];
}

/** Classification or regression: as the policy says, else as its metrics are, else by the model's outputs. */
export function taskFor(policy: Policy, model: Pick<Model, 'outputs'>): Task {
  if (policy.evaluation?.query !== undefined) return 'ranking';
  if (Array.isArray(policy.evaluation?.target)) return 'multilabel';
  if (policy.model?.task !== undefined) return policy.model.task;
  const gates = policy.gates ?? {};
  const fairness = fairnessMetrics.filter((name: FairnessMetric) => gates.fairness?.[name] !== undefined);
  if (classificationMetrics.some((name) => gates[name] !== undefined)) return 'classification';
  if (regressionMetrics.some((name) => gates[name] !== undefined)) return 'regression';
  const [first] = fairness;
  return first === undefined ? taskOf(model.outputs) : disparities[first].task;
}

/** Finds the columns and outputs of a model and reads the columns. Throws a `ModelError` where model and data do not fit. */
export async function wire(of: ModelToRun, rows: EvaluationRows): Promise<WiredModel> {
  const named = { model: of.path, place: of.place };
  if (of.model.inputs.length === 0) {
    throw new ModelError({
      code: 'no-inputs',
      message: `${excerpt(of.path)} has no inputs, so no row can reach it`,
      place: of.place,
      fix: 'Export it with its features as inputs of the graph.',
    });
  }
  const feedings = feedingsOf(of.model.inputs, rows.table, {
    ...named,
    evaluation: of.evaluation,
    ...(of.policy.inputs === undefined ? {} : { inputs: of.policy.inputs }),
  });
  const filled: FilledFeeding[] = [];
  for (const feeding of feedings) filled.push({ ...feeding, values: await rows.columns(feeding.columns, of.place) });
  requireFeedable(filled, named);
  const batch = fixedBatch(filled, named);
  const outputs = namesOf(chooseOutputs(of.model.outputs, predictionPolicy(of)));
  return { ...of, feedings: filled, outputs, ...(batch === undefined ? {} : { batch }) };
}

/** What the model says about every row. */
export function run(of: WiredModel, rows: EvaluationRows, host: Host): Promise<Predictions> {
  return predict(of.model, of.feedings, rows.table.rows, predictionPolicy(of), host);
}

function predictionPolicy(of: ModelToRun) {
  return {
    task: of.task,
    model: of.path,
    place: of.place,
    ...(of.policy.outputs === undefined ? {} : { outputs: of.policy.outputs }),
  };
}
