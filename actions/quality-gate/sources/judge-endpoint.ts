import { textColumns } from '../../../core/evaluation/index.ts';
import { type EndpointSource, policyDefaults } from '../../../core/policy/index.ts';
import type { Notice } from '../../../core/report/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { tried } from '../candidate-and-baseline.ts';
import { type EvaluationRows, openEvaluation } from '../evaluation-rows.ts';
import { taskFor, wire } from '../model-run.ts';
import { openRowGates } from '../row-gates.ts';
import type { Task } from '../row-predictor.ts';
import type { ModelJudgement } from '../run.ts';
import { openEndpoint } from './endpoint.ts';
import type { SourceOptions } from './judge-predictions.ts';
import { judgedRows, modelBaseline, noRowBaseline, type RowBaseline } from './row-baseline.ts';

/** Sends the evaluation rows to a model server and judges what it predicts, by the same gates as a model that is run here. */
export async function judgeEndpoint(source: EndpointSource, options: SourceOptions): Promise<ModelJudgement> {
  const { policy, directory, engine, host } = options;
  const { model: modelPolicy } = policy.policy;
  if (modelPolicy === undefined) throw new TypeError('an endpoint is named by a model');
  const place = policy.placeOf(['model', 'endpoint']);
  await using endpoint = await openEndpoint(source, place, options);
  const rows = await openEvaluation(policy, directory, engine, textColumns(endpoint, modelPolicy));
  await using gates = await openRowGates(policy, rows, host);
  const task = taskFor(policy.policy, endpoint);
  const named = { path: endpoint.shown, place, task };
  const candidate = await wire({ ...named, model: endpoint, policy: modelPolicy, evaluation: rows.policy }, rows);
  await using baseline = await baselineOf(source, task, rows, options);
  const judgement = await judgedRows(gates, candidate, baseline, rows);
  const said: Notice = {
    level: 'notice',
    message: `The predictions are those of ${excerpt(endpoint.shown, 200)}, asked now.`,
    place,
  };
  return { ...judgement, notices: [said, ...judgement.notices] };
}

/** Another version on the same server, or a model that is run here. */
async function baselineOf(
  source: EndpointSource,
  task: Task,
  rows: EvaluationRows,
  options: SourceOptions,
): Promise<RowBaseline> {
  const { policy } = options;
  const chosen = policy.policy.model?.baseline ?? policyDefaults.baseline;
  const absent = (why: string) => noRowBaseline({ kind: 'absent', why });
  if (chosen === 'none') return absent('There is no baseline to compare with: model.baseline is none');
  const ofBase = policy.base?.model;
  const found = await tried(async (): Promise<RowBaseline> => {
    if (chosen !== 'base') return modelBaseline(options, rows, task);
    if (ofBase?.endpoint === undefined || ofBase.endpoint.version === source.version) {
      return absent('The base names no other version on the server, so there is no baseline to compare with');
    }
    const place = policy.placeOf(['model', 'baseline']);
    const endpoint = await openEndpoint({ ...source, ...ofBase.endpoint }, place, options);
    try {
      const evaluation = policy.base?.evaluation ?? rows.policy;
      const predictor = await wire(
        { model: endpoint, path: endpoint.shown, place, policy: ofBase, evaluation, task },
        rows,
      );
      const dispose = () => endpoint[Symbol.asyncDispose]();
      return { ...noRowBaseline({ kind: 'absent', why: '' }), predictor, [Symbol.asyncDispose]: dispose };
    } catch (error) {
      await endpoint[Symbol.asyncDispose]();
      throw error;
    }
  });
  return 'kind' in found ? noRowBaseline(found) : found;
}
