import { PeerError, type Problem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';

/** A list of targets of which each has a share: Istio's destinations, a rule's backends, Seldon's predictors and candidates. */
export interface WeightedList<Entry> {
  readonly entries: readonly Entry[];
  /** Who an entry sends to, as the user calls it. */
  name(entry: Entry): string;
  isBaseline(entry: Entry): boolean;
  isCanary(entry: Entry): boolean;
  /** The share it has, 0 or more. */
  weight(entry: Entry): number;
  /** The same entry with another share; `undefined`: with none written down. */
  withWeight(entry: Entry, weight: number | undefined): Entry;
  /** The canary's entry, made after the baseline's; absent where only the user can add it. */
  readonly newCanary?: ((baseline: Entry) => Entry) | undefined;
}

/** How the list was before the rollout, so that it can be so again. */
export interface ListBefore {
  /** The canary was listed. */
  readonly canary: boolean;
  /** The weight that was written at the baseline, if one was. */
  readonly weight?: number;
}

/** Whole percent of requests that go to the canary. Throws when somebody else than the two has a share. */
export function canaryWeight<Entry>(list: WeightedList<Entry>): number {
  const others = list.entries.filter(
    (entry) => !list.isBaseline(entry) && !list.isCanary(entry) && list.weight(entry) > 0,
  );
  const share = (is: (entry: Entry) => boolean): number =>
    list.entries.filter(is).reduce((sum, entry) => sum + list.weight(entry), 0);
  const canary = share(list.isCanary);
  const baseline = share(list.isBaseline);
  if (!list.entries.some((entry) => list.isBaseline(entry) || list.isCanary(entry))) {
    throw new PeerError({
      code: 'no-arms',
      message: 'neither the baseline nor the canary gets traffic here',
      found: excerpt(list.entries.map(list.name).join(', ') || 'nothing', 200),
      fix: 'Correct the names of the baseline and the canary in the policy: they must be as the route has them.',
    });
  }
  const [other] = others;
  if (other !== undefined) {
    throw new PeerError({
      code: 'third-target',
      message: 'somebody else than the baseline and the canary gets traffic',
      found: excerpt(list.entries.map(list.name).join(', '), 200),
      fix: `Set the weight of ${excerpt(list.name(other))} to 0 or remove it, or name it as the baseline or the canary.`,
    });
  }
  return canary + baseline === 0 ? 0 : Math.round((100 * canary) / (canary + baseline));
}

/** What `before` was, to be kept while the list is changed. */
export function listBefore<Entry>(
  list: WeightedList<Entry>,
  written: (entry: Entry) => number | undefined,
): ListBefore {
  const baseline = list.entries.find(list.isBaseline);
  const weight = baseline === undefined ? undefined : written(baseline);
  return { canary: list.entries.some(list.isCanary), ...(weight === undefined ? {} : { weight }) };
}

/** The list in which the canary has so many percent and the baseline the rest. At 0 a canary that the rollout added is gone again. */
export function withCanaryWeight<Entry>(
  list: WeightedList<Entry>,
  percent: number,
  before: ListBefore,
): readonly Entry[] {
  if (percent === 0 && !before.canary) return withoutCanary(list, before);
  const baseline = list.entries.find(list.isBaseline);
  const listed = list.entries.some(list.isCanary);
  if (baseline === undefined && percent < 100) throw new PeerError(noBaseline(list));
  if (!listed && (list.newCanary === undefined || baseline === undefined)) throw new PeerError(noCanary(list));
  return list.entries.flatMap((entry) => {
    if (list.isCanary(entry)) return [list.withWeight(entry, percent)];
    if (!list.isBaseline(entry)) return [entry];
    const rest = list.withWeight(entry, 100 - percent);
    return listed || list.newCanary === undefined ? [rest] : [rest, list.withWeight(list.newCanary(entry), percent)];
  });
}

/** The list after the rollout: as it was before, or with the canary in the baseline's place. */
export function finishedList<Entry>(
  list: WeightedList<Entry>,
  outcome: 'promoted' | 'rolled-back',
  before: ListBefore | undefined,
): readonly Entry[] {
  const both = list.entries.some(list.isBaseline) && list.entries.some(list.isCanary);
  if (outcome === 'rolled-back') {
    if (before?.canary === false) return withoutCanary(list, before);
    return both || list.entries.some(list.isCanary)
      ? withCanaryWeight(list, 0, before ?? { canary: true })
      : list.entries;
  }
  if (both && before?.canary !== false) return withCanaryWeight(list, 100, { canary: true });
  const full = list.entries.some(list.isCanary) ? list.entries : withCanaryWeight(list, 100, { canary: false });
  return full
    .filter((entry) => !list.isBaseline(entry))
    .map((entry) => (list.isCanary(entry) && before !== undefined ? list.withWeight(entry, before.weight) : entry));
}

function withoutCanary<Entry>(list: WeightedList<Entry>, before: ListBefore): readonly Entry[] {
  if (!list.entries.some(list.isBaseline)) throw new PeerError(noBaseline(list));
  return list.entries
    .filter((entry) => !list.isCanary(entry))
    .map((entry) => (list.isBaseline(entry) ? list.withWeight(entry, before.weight) : entry));
}

function noBaseline<Entry>(list: WeightedList<Entry>): Problem {
  return {
    code: 'no-baseline',
    message: 'the baseline is not listed',
    found: excerpt(list.entries.map(list.name).join(', ') || 'nothing', 200),
    fix: 'Correct the name of the baseline in the policy: after a promotion it is the name that was the canary.',
  };
}

function noCanary<Entry>(list: WeightedList<Entry>): Problem {
  return {
    code: 'no-canary',
    message: 'the canary is not listed',
    found: excerpt(list.entries.map(list.name).join(', ') || 'nothing', 200),
    fix: 'Deploy the canary under the name in the policy, with no traffic, before the rollout; or correct the name.',
  };
}
