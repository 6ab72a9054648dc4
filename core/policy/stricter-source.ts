import { baseWins, fields, headWins, leafOf, type Merge, oneSided, outsideFromBase, withoutWaiting } from './merge.ts';
import { isOutside } from './outside-names.ts';
import type { Policy } from './schema.ts';
import {
  type EndpointSource,
  type PredictionsSource,
  type RunSource,
  type SourceKind,
  sourceKinds,
} from './source-schema.ts';

type Model = NonNullable<Policy['model']>;

/** A run of the candidate is the head's to name, unless the base takes the latest: a pull request cannot pick the one that looks best. */
const id: Merge<NonNullable<RunSource['id']>> = leafOf((base = 'latest', head = 'latest') =>
  base === 'latest' ? { value: base, from: 'base' } : { value: head, from: 'head' },
);

export const mergeRun = fields<RunSource>({
  experiment: baseWins(),
  id,
  metrics: baseWins(),
  rows: baseWins(),
  tracking_uri: baseWins(),
});

/** Which server is asked, and with whose token, is the base's to say; which version of the model, the head's. */
export const mergeEndpoint = fields<EndpointSource>({
  url: baseWins(),
  protocol: baseWins(),
  model: baseWins(),
  version: headWins(),
  format: baseWins(),
  signature: headWins(),
  token_env: baseWins(),
  batch: headWins(),
  concurrency: headWins(),
  timeout: headWins(),
});

const fileOf = (source: PredictionsSource) => (typeof source === 'string' ? source : source.path);
const predictedElsewhere = (source: PredictionsSource) => isOutside(fileOf(source));

/** The candidate's own predictions are the head's to name, as long as they lie in the checkout. */
export const mergePredictions: Merge<PredictionsSource> = outsideFromBase(predictedElsewhere, headWins());

/** Whether a baseline is read with the job's credentials. */
export function isBaselineOutside(baseline: NonNullable<Model['baseline']>): boolean {
  if (typeof baseline === 'string' || 'path' in baseline) return false;
  return 'champion' in baseline ? 'mlflow' in baseline.champion : predictedElsewhere(baseline.predictions);
}

/** Whether what is judged is on a server or in a bucket. */
export function isJudgedOutside({ endpoint, run, predictions }: Model): boolean {
  return endpoint !== undefined || run !== undefined || (predictions !== undefined && predictedElsewhere(predictions));
}

/** The key of `model` that names what is judged. */
export function sourceKindOf(model: Model): SourceKind | undefined {
  return sourceKinds.find((kind) => model[kind] !== undefined);
}

/**
 * The head's model with the base's source where the two are of different kinds: one kind shows more than another (a file that is run here, numbers
 * that somebody has written down), so that a change counts from the merge on.
 */
export const withSourceOfBase =
  (merge: Merge<Model>): Merge<Model> =>
  (base, head, at) => {
    if (head === undefined) return oneSided(base, head, at);
    if (base === undefined) {
      const waits = head.baseline !== undefined && isBaselineOutside(head.baseline);
      return withoutWaiting(head, waits ? ['baseline'] : [], at);
    }
    const [kind, other] = [sourceKindOf(base), sourceKindOf(head)];
    if (kind === undefined || other === undefined || kind === other) return merge(base, head, at);
    at.field(kind).differs(base[kind], undefined, 'base');
    at.field(other).differs(undefined, head[other], 'base');
    const { [other]: _, ...rest } = head;
    return merge(base, { ...rest, [kind]: base[kind] }, at);
  };
