import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { EffectivePolicy, EpisodesPolicy } from '../../../core/policy/index.ts';
import { InputError } from '../../../core/problem/index.ts';
import type { Notice } from '../../../core/report/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import type { BaseFiles } from '../../../github/index.ts';

/** The folder an environment runs in. */
export interface EnvironmentFolder extends AsyncDisposable {
  readonly directory: string;
  readonly notices: readonly Notice[];
}

/**
 * Lays out the environment's files in a folder of their own: those of the base commit where there is one, so that a pull request cannot
 * make its model's world easier. A file that the base does not have is the checkout's, which a notice says. Without `files` the environment
 * runs in the checkout, as any other script of the repository does.
 */
export async function layOutEnvironment(
  { files }: EpisodesPolicy,
  policy: EffectivePolicy,
  directory: string,
  base: BaseFiles | undefined,
): Promise<EnvironmentFolder> {
  const place = policy.placeOf(['episodes']);
  if (files === undefined) {
    const changeable: Notice = {
      level: 'warning',
      message:
        'The environment of the episodes is the checkout’s, so this pull request may change what its model is judged in. Name its files under episodes.files, and the base branch’s are run.',
      place,
    };
    return { directory, notices: base === undefined ? [] : [changeable], [Symbol.asyncDispose]: async () => {} };
  }
  const folder = await mkdtemp(join(tmpdir(), 'sluice-environment-'));
  const clean = () => rm(folder, { recursive: true, force: true });
  try {
    const notices: Notice[] = [];
    for (const [index, file] of files.entries()) {
      const target = join(folder, file);
      await mkdir(dirname(target), { recursive: true });
      const own = resolve(directory, file);
      if (base !== undefined && (await base.fetchTo(file, target))) {
        const same = (await readFile(target)).equals(await readFile(own).catch(() => Buffer.alloc(0)));
        if (!same)
          notices.push({
            level: 'warning',
            message: `${changed(file)} the base branch’s is run until the merge.`,
            place,
          });
        continue;
      }
      if (base !== undefined)
        notices.push({ level: 'warning', message: `${added(file)} Review it as you would a bound.`, place });
      await copyFile(own, target).catch((cause: unknown) => {
        throw new InputError(
          {
            code: 'file-not-found',
            message: `${excerpt(file)} cannot be read`,
            place: policy.placeOf(['episodes', 'files', index]),
            found: cause instanceof Error && 'code' in cause ? String(cause.code) : 'an error',
            fix: 'Name the files that the environment consists of, relative to the policy.',
          },
          { cause },
        );
      });
    }
    return { directory: folder, notices, [Symbol.asyncDispose]: clean };
  } catch (error) {
    await clean();
    throw error;
  }
}

function changed(file: string): string {
  return `This pull request changes ${excerpt(file)}, which is what the episodes are played in:`;
}

function added(file: string): string {
  return `The base commit has no ${excerpt(file)}, so the checked-out one is what the episodes are played in.`;
}
