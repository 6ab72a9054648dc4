import { type FetchImages, type FetchPlan, fetchImages, modelFetch, modelFolder, placed } from '../pod/model-fetch.ts';
import { type ModelFile, modelFileProblems } from '../pod/model-file.ts';
import type { EnvVar, SecretKey } from '../pod/pod-spec.ts';
import type { ConstructProblem } from '../problem.ts';
import type { Memory } from '../quantity.ts';

/** Where an LLM server gets its weights. */
export type LlmWeights =
  | {
      /** `organisation/repository` on the Hugging Face Hub: the server brings it while it starts, and nothing verifies it but the revision. */
      readonly huggingFace: string;
      /** The commit, 40 hexadecimal digits; a branch may be another model tomorrow. */
      readonly revision: string;
      /** The Secret with a token, for models behind a licence. */
      readonly token?: SecretKey;
    }
  | {
      /** Every file of the repository (or one archive with `unpack` and `path: '.'`), fetched and verified before the server starts. */
      readonly files: readonly [ModelFile, ...ModelFile[]];
    };

/** Weights as a server program needs them. */
export interface WeightsPlan {
  /** What the server is told to load: a folder or a repository's name. */
  readonly model: string;
  readonly revision?: string;
  readonly env: readonly EnvVar[];
  readonly fetch?: FetchPlan;
  readonly fetchesItself: boolean;
  readonly reaches: readonly number[];
  readonly problems: readonly ConstructProblem[];
  readonly warnings: readonly ConstructProblem[];
}

const folder = 'weights';

/** `volume`: room for fetched files. */
export function weightsPlan(weights: LlmWeights, volume: Memory, images: Partial<FetchImages> = {}): WeightsPlan {
  if ('files' in weights) {
    const files = weights.files.map((file) => {
      const { path } = placed(file);
      return { ...file, path: path === '.' ? folder : `${folder}/${path}` };
    });
    return {
      model: `${modelFolder}/${folder}`,
      env: [
        { name: 'HF_HUB_OFFLINE', value: '1' },
        { name: 'TRANSFORMERS_OFFLINE', value: '1' },
      ],
      fetch: modelFetch({ files, size: volume, images: { ...fetchImages, ...images } }),
      fetchesItself: false,
      reaches: [],
      problems: weights.files.flatMap((file, index) => modelFileProblems(file, `weights.files[${index}]`, true)),
      warnings: [],
    };
  }
  const { huggingFace, revision, token } = weights;
  return {
    model: huggingFace,
    revision,
    env: token === undefined ? [] : [{ name: 'HF_TOKEN', valueFrom: { secretKeyRef: token } }],
    fetchesItself: true,
    reaches: [443],
    problems: /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(huggingFace)
      ? []
      : [
          {
            code: 'bad-repository',
            message: 'weights.huggingFace is no repository of the Hub',
            found: huggingFace,
            expected: 'organisation/repository',
            fix: 'Correct it; files from elsewhere go into weights.files.',
          },
        ],
    warnings: /^[0-9a-f]{40}$/.test(revision)
      ? []
      : [
          {
            code: 'mutable-revision',
            message: 'weights.revision is no commit, so each pod may load another model',
            found: revision,
            fix: 'Name the commit (40 hexadecimal digits) that was tested.',
          },
        ],
  };
}
