import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, posix, resolve } from 'node:path';
import type { Host } from '../../core/host/index.ts';
import type { Model, ModelFacts } from '../../core/onnx/index.ts';
import { type EffectivePolicy, type Policy, policyDefaults } from '../../core/policy/index.ts';
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
  /** Opens the model once more, for timing. */
  open(): Promise<Model>;
}

/**
 * Finds and loads the baseline: the base branch's file (by the base policy's path, when a pull request moved it), or a file of its own.
 * None with `baseline: none`, without a base, or when the base has no such file. One that is there and cannot be loaded throws.
 */
export async function openBaseline(
  policy: EffectivePolicy,
  directory: string,
  base: BaseFiles | undefined,
  candidate: Pick<ModelFacts, 'externalData'>,
  host: Host,
): Promise<Baseline> {
  const model = policy.policy.model;
  if (model === undefined) throw new TypeError('a policy without a model has no baseline');
  const chosen = model.baseline ?? policyDefaults.baseline;
  const none = (why: string): Baseline => withoutBaseline(policy, { kind: 'absent', why });
  if (chosen === 'none') return none('There is no baseline to compare with: model.baseline is none');
  const place = policy.placeOf(['model', 'baseline']);
  if (chosen !== 'base') {
    const found = {
      file: resolve(directory, chosen.path),
      path: chosen.path,
      place,
      within: repositoryRoot(directory),
    };
    return opened(found, model, policy.policy.evaluation, host, async () => {});
  }
  if (base === undefined) {
    return none(
      'There is no base commit, so no baseline to compare with; the comparison starts with the next pull request',
    );
  }

  const path = policy.base?.model?.path ?? model.path;
  const temporary = await mkdtemp(join(tmpdir(), 'sluice-baseline-'));
  const clean = () => rm(temporary, { recursive: true, force: true });
  try {
    const file = join(temporary, basename(path));
    if (!(await base.fetchTo(path, file))) {
      await clean();
      return none(
        `The base commit ${base.sha.slice(0, 12)} has no ${excerpt(path)}, so there is no baseline to compare with; after the merge this model is it`,
      );
    }
    const found = { file, path: `${path}@${base.sha.slice(0, 12)}`, place };
    await fetchExternalData(path, candidate, temporary, base);
    const ofBase = policy.base ?? policy.policy;
    return await opened(found, ofBase.model ?? model, ofBase.evaluation ?? policy.policy.evaluation, host, clean);
  } catch (error) {
    await clean();
    throw error;
  }
}

/** No baseline, and why. */
export function withoutBaseline({ policy }: EffectivePolicy, absence: NoBaseline): Baseline {
  if (policy.model === undefined) throw new TypeError('a policy without a model has no baseline');
  return {
    policy: policy.model,
    evaluation: policy.evaluation,
    absence,
    open: () => Promise.reject(new TypeError('there is no baseline to open')),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function opened(
  found: Parameters<typeof openModelFile>[0],
  policy: ModelPolicy,
  evaluation: Policy['evaluation'],
  host: Host,
  clean: () => Promise<void>,
): Promise<Baseline> {
  const model = await openModelFile(found, host);
  return {
    model,
    path: found.path,
    policy,
    evaluation,
    absence: { kind: 'absent', why: '' },
    open: () => openModelFile(found, host),
    async [Symbol.asyncDispose]() {
      await model.close();
      await clean();
    },
  };
}

/**
 * Brings the weight files beside the base's model: those that the candidate has, and by the names that exporters give. One under
 * another name is then missing, and loading the model says which.
 */
async function fetchExternalData(
  path: string,
  candidate: Pick<ModelFacts, 'externalData'>,
  temporary: string,
  base: BaseFiles,
): Promise<void> {
  const name = basename(path);
  for (const data of new Set([...candidate.externalData, `${name}.data`, `${name}_data`])) {
    await base.fetchTo(posix.join(posix.dirname(path), data), join(temporary, data));
  }
}
