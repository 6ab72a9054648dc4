import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, posix, resolve } from 'node:path';
import type { Host } from '../../core/host/index.ts';
import { externalDataNames, type Model } from '../../core/onnx/index.ts';
import type { EffectivePolicy, Policy } from '../../core/policy/index.ts';
import type { Notice } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { type BaseFiles, repositoryRoot } from '../../github/index.ts';
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

const absence: NoBaseline = { kind: 'absent', why: '' };

/** Names what the base commit lacks. */
export function without(path: string, base: BaseFiles): string {
  return `The base commit ${base.sha.slice(0, 12)} has no ${excerpt(path)}`;
}

/** Says that nobody has reviewed yet what the baseline is. */
export function newBaseline(path: string, base: BaseFiles): Notice {
  return {
    level: 'warning',
    message: `${without(path, base)}, so the checked-out one is the baseline: this pull request chose what it is held against. Review it as you would a bound; from the merge on the base branch's counts.`,
  };
}

/** The file as it is checked out. */
export async function openCheckedOut(
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
export async function openAtBase(
  path: string,
  policy: EffectivePolicy,
  base: BaseFiles,
  host: Host,
): Promise<Baseline | undefined> {
  return openBrought(policy, host, async (temporary) => {
    const file = join(temporary, basename(path));
    if (!(await base.fetchTo(path, file))) return undefined;
    await fetchExternalData(path, file, temporary, base);
    return { file, shown: `${path}@${base.sha.slice(0, 12)}`, notices: [] };
  });
}

/** A model that was brought into a folder of its own. */
export interface Brought {
  readonly file: string;
  /** What messages and reports call it. */
  readonly shown: string;
  readonly notices: readonly Notice[];
}

/**
 * The model that `bring` puts into a new folder, which goes when the baseline is closed; fed and read as the base's policy says, which is the
 * one that let it in.
 */
export async function openBrought<Found extends Brought | undefined>(
  policy: EffectivePolicy,
  host: Host,
  bring: (temporary: string) => Promise<Found>,
): Promise<Baseline | Extract<Found, undefined>> {
  const ofBase = policy.base?.model ?? policy.policy.model;
  if (ofBase === undefined) throw new TypeError('a policy without a model has no baseline');
  const temporary = await mkdtemp(join(tmpdir(), 'sluice-baseline-'));
  const clean = () => rm(temporary, { recursive: true, force: true });
  try {
    const found = await bring(temporary);
    if (found === undefined) {
      await clean();
      return undefined as Extract<Found, undefined>;
    }
    const { file, shown, notices } = found;
    const model = await openModelFile({ file, path: shown, place: policy.placeOf(['model', 'baseline']) }, host);
    return {
      model,
      path: shown,
      policy: ofBase,
      evaluation: policy.base?.evaluation ?? policy.policy.evaluation,
      notices,
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

/** Brings the files beside the base's model that it names. Ends at one that is not there: loading the model says which. */
async function fetchExternalData(path: string, file: string, temporary: string, base: BaseFiles): Promise<void> {
  for (const name of await externalDataNames(file)) {
    if (!(await base.fetchTo(posix.join(posix.dirname(path), name), join(temporary, name)))) return;
  }
}
