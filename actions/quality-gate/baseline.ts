import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, posix, resolve } from 'node:path';
import type { Host } from '../../core/host/index.ts';
import { externalDataNames, type Model } from '../../core/onnx/index.ts';
import { type EffectivePolicy, type Policy, policyDefaults } from '../../core/policy/index.ts';
import type { Notice } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { type BaseFiles, repositoryPath, repositoryRoot } from '../../github/index.ts';
import { openModelFile } from './model-file.ts';
import type { NoBaseline } from './subject.ts';

type ModelPolicy = NonNullable<Policy['model']>;

/** What the candidate is held against. */
export interface Baseline extends AsyncDisposable {
  /** Absent when there is none. */
  readonly model?: Model;
  /** As the policy writes it; absent without a model. */
  readonly path?: string;
  /** How the baseline is fed and read: the base branch's own words where it comes from there. */
  readonly policy: ModelPolicy;
  readonly evaluation: Policy['evaluation'];
  /** Why there is none; says nothing where there is one. */
  readonly absence: NoBaseline;
  /** What whoever reads the report must know of where it comes from. */
  readonly notices: readonly Notice[];
}

/**
 * Finds and loads the baseline: the base branch's file (by the base policy's path, when a pull request moved it), or a file of its own.
 * None with `baseline: none`, without a base, or when the base has no such file. One that is there and cannot be loaded throws.
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
): Promise<Baseline> {
  const model = policy.policy.model;
  if (model === undefined) throw new TypeError('a policy without a model has no baseline');
  const chosen = model.baseline ?? policyDefaults.baseline;
  const none = (why: string): Baseline => withoutBaseline(policy, { kind: 'absent', why });
  if (chosen === 'none') return none('There is no baseline to compare with: model.baseline is none');

  const path = chosen === 'base' ? (policy.base?.model?.path ?? model.path) : chosen.path;
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

function without(path: string, base: BaseFiles): string {
  return `The base commit ${base.sha.slice(0, 12)} has no ${excerpt(path)}`;
}

function newBaseline(path: string, base: BaseFiles): Notice {
  return {
    level: 'warning',
    message: `${without(path, base)}, so the checked-out one is the baseline: this pull request chose what it is held against. Review it as you would a bound; from the merge on the base branch's counts.`,
  };
}

async function openCheckedOut(
  path: string,
  { policy, placeOf }: EffectivePolicy,
  directory: string,
  notices: readonly Notice[],
  host: Host,
): Promise<Baseline> {
  if (policy.model === undefined) throw new TypeError('a policy without a model has no baseline');
  const place = placeOf(['model', 'baseline']);
  const file = { file: resolve(directory, path), path, place, within: repositoryRoot(directory) };
  const model = await openModelFile(file, host);
  const { evaluation } = policy;
  return {
    model,
    path,
    policy: policy.model,
    evaluation,
    notices,
    absence,
    [Symbol.asyncDispose]: () => model.close(),
  };
}

/** The file in the base commit, with its weights; undefined when the commit has no such file. */
async function openAtBase(
  path: string,
  policy: EffectivePolicy,
  base: BaseFiles,
  host: Host,
): Promise<Baseline | undefined> {
  const ofBase = policy.base?.model ?? policy.policy.model;
  if (ofBase === undefined) throw new TypeError('a policy without a model has no baseline');
  const temporary = await mkdtemp(join(tmpdir(), 'sluice-baseline-'));
  const clean = () => rm(temporary, { recursive: true, force: true });
  try {
    const file = join(temporary, basename(path));
    if (!(await base.fetchTo(path, file))) {
      await clean();
      return undefined;
    }
    await fetchExternalData(path, file, temporary, base);
    const shown = `${path}@${base.sha.slice(0, 12)}`;
    const model = await openModelFile({ file, path: shown, place: policy.placeOf(['model', 'baseline']) }, host);
    const evaluation = policy.base?.evaluation ?? policy.policy.evaluation;
    return {
      model,
      path: shown,
      policy: ofBase,
      evaluation,
      notices: [],
      absence,
      async [Symbol.asyncDispose]() {
        await model.close();
        await clean();
      },
    };
  } catch (error) {
    await clean();
    throw error;
  }
}

const absence: NoBaseline = { kind: 'absent', why: '' };

/** Brings the files beside the base's model that it names. Ends at one that is not there: loading the model says which. */
async function fetchExternalData(path: string, file: string, temporary: string, base: BaseFiles): Promise<void> {
  for (const name of await externalDataNames(file)) {
    if (!(await base.fetchTo(posix.join(posix.dirname(path), name), join(temporary, name)))) return;
  }
}
