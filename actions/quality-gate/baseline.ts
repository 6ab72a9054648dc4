import type { Host } from '../../core/host/index.ts';
import type { Environment } from '../../core/mlflow/index.ts';
import { type EffectivePolicy, policyDefaults } from '../../core/policy/index.ts';
import { type BaseFiles, repositoryPath } from '../../github/index.ts';
import { type Baseline, newBaseline, openAtBase, openCheckedOut, without } from './baseline-file.ts';
import { openRegistered, openReleased } from './champion.ts';
import type { NoBaseline } from './subject.ts';

export type { Baseline } from './baseline-file.ts';

/**
 * Finds and loads the baseline: the base branch's file (by the base policy's path, when a pull request moved it), a file of its own, or what
 * is released. None with `baseline: none`, without a base, or when the base has no such file. One that is there and cannot be loaded throws.
 *
 * A file of its own is read at the base commit too, where there is one: else a pull request could put a weaker model in its place
 * and be held against that. Where the base has no such file, there is nothing that could be replaced, so the one that is checked out is
 * taken (a pull request that adds it must be able to pass; an earlier step may have downloaded it), under a warning that says so.
 */
export async function openBaseline(
  policy: EffectivePolicy,
  directory: string,
  base: BaseFiles | undefined,
  host: Host,
  environment: Environment,
): Promise<Baseline> {
  const model = policy.policy.model;
  if (model === undefined) throw new TypeError('a policy without a model has no baseline');
  const chosen = model.baseline ?? policyDefaults.baseline;
  const none = (why: string): Baseline => withoutBaseline(policy, { kind: 'absent', why });
  if (chosen === 'none') return none('There is no baseline to compare with: model.baseline is none');

  if (typeof chosen === 'object' && 'champion' in chosen) {
    const { champion } = chosen;
    return 'mlflow' in champion
      ? openRegistered(champion, policy, host, environment)
      : openReleased(champion, policy, directory, base, host);
  }
  if (typeof chosen === 'object' && 'predictions' in chosen) throw new TypeError('predictions are no model to open');
  const path = chosen === 'base' ? (policy.base?.model?.path ?? model.path) : chosen.path;
  if (path === undefined) return none('There is no model file to compare with');
  // Of a file elsewhere no commit knows; the checked-out one is then refused, with the reason.
  const ofRepository = chosen === 'base' || repositoryPath(path, directory) !== undefined;
  const found = base === undefined || !ofRepository ? undefined : await openAtBase(path, policy, base, host);
  if (found !== undefined) return found;
  if (chosen !== 'base') {
    return openCheckedOut(path, policy, directory, base === undefined ? [] : [newBaseline(path, base)], host);
  }
  return none(
    base === undefined
      ? 'There is no base commit, so no baseline to compare with; the comparison starts with the next pull request'
      : `${without(path, base)}, so there is no baseline to compare with; after the merge this model is it`,
  );
}

/** No baseline, and why. */
export function withoutBaseline({ policy }: EffectivePolicy, absence: NoBaseline): Baseline {
  if (policy.model === undefined) throw new TypeError('a policy without a model has no baseline');
  return {
    policy: policy.model,
    evaluation: policy.evaluation,
    absence,
    notices: [],
    [Symbol.asyncDispose]: async () => {},
  };
}
