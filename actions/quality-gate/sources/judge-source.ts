import type { ModelJudgement } from '../run.ts';
import { judgeEndpoint } from './judge-endpoint.ts';
import { judgePredictions, type SourceOptions } from './judge-predictions.ts';
import { judgeRun } from './judge-run.ts';

/** Judges what is no ONNX file: written predictions, a model server, or the metrics of a run. Undefined where the policy names a file. */
export async function judgeSource(options: SourceOptions): Promise<ModelJudgement | undefined> {
  const { predictions, endpoint, run } = options.policy.policy.model ?? {};
  if (predictions !== undefined) return judgePredictions(predictions, options);
  if (endpoint !== undefined) return judgeEndpoint(endpoint, options);
  if (run !== undefined) return judgeRun(run, options);
  return undefined;
}
