import { baseWins, fields, headWins, leafOf, type Merge } from './merge.ts';
import type { Policy } from './schema.ts';
import { type EndpointSource, type RunSource, type SourceKind, sourceKinds } from './source-schema.ts';

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
    if (base === undefined || head === undefined) return merge(base, head, at);
    const [kind, other] = [sourceKindOf(base), sourceKindOf(head)];
    if (kind === undefined || other === undefined || kind === other) return merge(base, head, at);
    at.field(kind).differs(base[kind], undefined, 'base');
    at.field(other).differs(undefined, head[other], 'base');
    const { [other]: _, ...rest } = head;
    return merge(base, { ...rest, [kind]: base[kind] }, at);
  };
