import { constants, copyFile, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { findDvcData, md5Of, openEngine, readDvcPointer } from '../../../core/data/index.ts';
import type { Host } from '../../../core/host/index.ts';
import type { EffectivePolicy } from '../../../core/policy/index.ts';
import { DataError, describeProblem, type Place, SluiceError } from '../../../core/problem/index.ts';
import type { Check, Notice } from '../../../core/report/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { type BaseFiles, repositoryPath, repositoryRoot } from '../../../github/index.ts';
import { type EvaluationRows, openEvaluation } from '../evaluation-rows.ts';
import { counted } from '../number-text.ts';
import { policyOfBaseRows } from './set-policy.ts';

/** The rows as the base commit has them, where a pull request changed them. */
export interface BaseRows extends AsyncDisposable {
  /** Absent where the rows are the same, or the base's cannot be had. */
  readonly changed?: { readonly policy: EffectivePolicy; readonly rows: EvaluationRows };
  readonly checks: readonly Check[];
  readonly notices: readonly Notice[];
}

/**
 * Compares the rows with the base commit's by their digests, and opens the base's where they differ: a pull request may not choose the rows it is judged
 * on. Base rows that are there and cannot be read are a check with status `error`; where the base has no such file, or the rows are no single file of the
 * repository, a notice says so.
 */
export async function openBaseRows(
  policy: EffectivePolicy,
  rows: EvaluationRows,
  base: BaseFiles | undefined,
  options: { readonly directory: string; readonly text: readonly string[]; readonly host: Host },
): Promise<BaseRows> {
  const { source } = rows.policy;
  const { place } = rows;
  const commit = base?.sha.slice(0, 12) ?? '';
  if (base === undefined) return nothing([]);
  if (rows.table.files !== undefined || repositoryPath(source, options.directory) === undefined) {
    return nothing([
      {
        level: 'notice',
        message: `Whether the rows of ${excerpt(source)} are those of the base commit cannot be told: they are no single file of the repository.`,
        place,
      },
    ]);
  }
  const unreadable = (error: unknown): BaseRows => {
    if (!(error instanceof SluiceError)) throw error;
    const [problem] = error.problems;
    const check: Check = {
      id: 'gate/evaluation/base',
      title: `${source} of the base commit can be judged on`,
      section: 'gate',
      status: 'error',
      message: `Whether the verdict rests on rows that this pull request changed cannot be told: ${describeProblem(problem).replace(/\.$/, '')}.`,
      place,
    };
    return { ...nothing([]), checks: [check] };
  };
  const temporary = await mkdtemp(join(tmpdir(), 'sluice-base-rows-'));
  const clean = () => rm(temporary, { recursive: true, force: true });
  try {
    const sha256 = await base.sha256(source);
    // What is in git is compared there, unless it is a pointer.
    const tracked =
      sha256 === undefined || /\.dvc$/i.test(source)
        ? await bringTracked(source, { base, directory: options.directory, folder: temporary, place })
        : undefined;
    if (tracked === 'same') {
      await clean();
      return nothing([]);
    }
    if (tracked === undefined && sha256 === rows.table.sha256) {
      await clean();
      return nothing([]);
    }
    const file = tracked ?? basename(source);
    if (tracked === undefined && (sha256 === undefined || !(await base.fetchTo(source, join(temporary, file))))) {
      await clean();
      const message = `The base commit ${commit} has no ${excerpt(source)}: the verdict rests on rows that this pull request adds, or that are not kept in git.`;
      return nothing([{ level: 'notice', message, place }]);
    }
    const engine = await openEngine({ host: options.host, directories: [temporary] });
    const close = async () => {
      await engine.close();
      await clean();
    };
    try {
      const ofBase = policyOfBaseRows(policy, file);
      const changed = await openEvaluation(ofBase, temporary, engine, options.text);
      const message = `This pull request changes ${excerpt(source)} (${counted(changed.table.rows, 'row')} at the base commit ${commit}, ${counted(rows.table.rows, 'row')} now). The models are judged on both, and every bound must hold on both.`;
      return {
        changed: { policy: ofBase, rows: changed },
        checks: [],
        notices: [{ level: 'warning', message, place }],
        [Symbol.asyncDispose]: close,
      };
    } catch (error) {
      await engine.close();
      throw error;
    }
  } catch (error) {
    await clean();
    return unreadable(error);
  }
}

/**
 * Of rows that DVC keeps and whose pointer the base commit has: `same` where the rows at hand have its MD5; else the name of the file in `folder` that
 * the base's rows were brought to. Undefined where DVC does not keep them. Where DVC's store is, the base's configuration says.
 */
async function bringTracked(
  source: string,
  {
    base,
    directory,
    folder,
    place,
  }: { readonly base: BaseFiles; readonly directory: string; readonly folder: string; readonly place: Place },
): Promise<string | undefined> {
  const data = source.replace(/\.dvc$/i, '');
  const name = data === source ? `${source}.dvc` : source;
  const text = await base.read(name);
  if (text === undefined) return undefined;
  const pointer = readDvcPointer(Buffer.from(text).toString('utf8'));
  if ('message' in pointer) {
    const { message, ...rest } = pointer;
    throw new DataError({
      code: 'bad-dvc-pointer',
      message: `${excerpt(name, 200)} of the base commit ${message}`,
      place,
      ...rest,
    });
  }
  // A head's pointer may name another file; that one is not the base's.
  const atHand = await md5Of(resolve(directory, data), pointer).catch(() => undefined);
  if (atHand === pointer.md5) return 'same';
  const root = repositoryRoot(directory);
  const config = await base.read(join(relative(await realpath(directory), root), '.dvc', 'config'));
  const store = { root, config: Buffer.from(config ?? '').toString('utf8') };
  const found = await findDvcData(pointer, store, { folder: join(folder, 'objects'), name, place });
  const file = basename(data);
  await copyFile(found, join(folder, file), constants.COPYFILE_FICLONE);
  return file;
}

/** What could not be judged on the base's rows, which a pull request must not escape by changing the columns along with the model. */
export function unfitForBaseRows(error: SluiceError, { place }: EvaluationRows): Check {
  const [problem] = error.problems;
  return {
    id: 'gate/rows',
    title: 'the model can be judged on them',
    section: 'gate',
    status: 'fail',
    bound: { kind: 'must_hold', value: 'the rows that this pull request changes can be judged on as they were' },
    message: `The candidate cannot be judged on the rows as the base commit has them: ${describeProblem(problem).replace(/\.$/, '')}. Change the data in a pull request of its own first, or let the base branch's policy waive gate[@base]/rows until a date.`,
    place,
  };
}

function nothing(notices: readonly Notice[]): BaseRows {
  return { checks: [], notices, [Symbol.asyncDispose]: async () => {} };
}
