import { excerpt, isAddress } from '../text/index.ts';
import type { Contradiction } from './contradictions.ts';
import type { SourceOfRows } from './engines-schema.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';
import type { Policy } from './schema.ts';

/**
 * Every place of a policy that a gate follows, and that can name something outside the repository, which the job's credentials then read or are
 * sent to. `*` stands for any key, `[]` for any entry. What only a pull request names there waits for the merge (`stricter-*.ts`), and `newNamesOf`
 * proves it of every policy in force. `smoke` and `canary` are not among them: they are run on what was merged.
 */
export const outsidePlaces = {
  /** Rows: a file of the checkout, unless it is an address. */
  rows: [
    'model.predictions',
    'model.predictions.path',
    'model.baseline.predictions',
    'model.baseline.predictions.path',
    'data[].source',
    'data[].checks[].relationships.to',
    'data[].checks[].new_categories.reference',
    'data[].checks[].train_test_overlap.reference',
    'data[].checks[].skew.reference',
    'data[].checks[].sql.tables.*',
    'evaluation.source',
    'evaluation.sets[].source',
    'drift.reference',
    'drift.reference.source',
    'drift.current',
    'drift.current.source',
  ],
  /** Never anything of the checkout. */
  elsewhere: [
    'data[].source.table',
    'data[].checks[].relationships.to.table',
    'data[].checks[].new_categories.reference.table',
    'data[].checks[].train_test_overlap.reference.table',
    'model.endpoint.url',
    'model.endpoint.token_env',
    'model.run.experiment',
    'model.run.tracking_uri',
    'model.baseline.champion.mlflow',
    'model.baseline.champion.alias',
    'model.baseline.champion.tracking_uri',
    'engines.trino.url',
    'engines.trino.user',
    'engines.trino.session.*',
    'engines.athena.region',
    'engines.athena.workgroup',
    'engines.athena.output',
  ],
  /** Files of the checkout, and nothing else. */
  checkout: [
    'model.path',
    'model.baseline.path',
    'model.baseline.champion.manifest',
    'model.endpoint.signature',
    'gates.variants[].path',
    'episodes.files[]',
  ],
} as const;

/** Whether rows come from outside the repository. */
export function isOutside(source: SourceOfRows): boolean {
  return typeof source !== 'string' || isAddress(source);
}

interface OutsideName {
  readonly path: PolicyPath;
  /** The part of the policy it stands in, and the name: what may be read for one part may not be for another. */
  readonly key: string;
  readonly name: string;
}

/**
 * What `effective` names outside the repository and `base` does not name in the same part of it. Nothing, whatever the two are: else a merge
 * has let a pull request send the job's credentials somewhere.
 */
export function newNamesOf(effective: Policy, base: Policy): readonly OutsideName[] {
  const known = new Set(outsideNamesOf(base).map(({ key }) => key));
  return outsideNamesOf(effective).filter(({ key }) => !known.has(key));
}

function outsideNamesOf(policy: Policy): readonly OutsideName[] {
  const named = (places: readonly string[], counts: (text: string) => boolean) =>
    places.flatMap((place) =>
      textsAt(policy, place)
        .filter(({ name }) => counts(name))
        // Engines do not tell capitals in the names of tables.
        .map((found) => ({
          ...found,
          key: JSON.stringify([found.path[0], place.endsWith('.table') ? found.name.toLowerCase() : found.name]),
        })),
    );
  return [...named(outsidePlaces.rows, isAddress), ...named(outsidePlaces.elsewhere, () => true)];
}

/** Addresses that nothing reads, which would else be found out by whoever opens the file. */
export function contradictionsOfAddresses(policy: unknown): readonly Contradiction[] {
  const refused = (places: readonly string[], expected: string, isRead: (text: string) => boolean) =>
    places.flatMap((place) =>
      textsAt(policy, place)
        .filter(({ name }) => isAddress(name) && !isRead(name))
        .map(
          ({ path, name }): Contradiction => ({
            code: 'unsupported-address',
            message: `${excerpt(name, 200)} is an address that cannot be read`,
            path,
            expected,
            fix: 'Download it in an earlier step and name the file.',
          }),
        ),
    );
  return [
    ...refused(outsidePlaces.rows, 'a local file or s3://bucket/key', (name) => name.startsWith('s3://')),
    ...refused(outsidePlaces.checkout, 'a file of the repository', () => false),
  ];
}

interface TextAt {
  readonly path: PolicyPath;
  readonly name: string;
}

/** The texts that stand at a place such as `data[].checks[].sql.tables.*`. */
function textsAt(policy: unknown, place: string): readonly TextAt[] {
  let reached: readonly PolicyPath[] = [[]];
  for (const step of place.replaceAll('[]', '.[]').split('.')) {
    reached = reached.flatMap((path): readonly PolicyPath[] => {
      const value = valueAt(policy, path);
      if (step === '[]') return Array.isArray(value) ? value.map((_, index) => [...path, index]) : [];
      if (step === '*') return isMapping(value) ? Object.keys(value).map((key) => [...path, key]) : [];
      return [[...path, step]];
    });
  }
  return reached.flatMap((path) => {
    const name = valueAt(policy, path);
    return typeof name === 'string' ? [{ path, name }] : [];
  });
}
