import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

/**
 * The top of the checked-out repository that `directory` is in: the nearest folder upwards with a `.git`, else the job's
 * workspace (checkout without git leaves no `.git`), else `directory` itself. Symbolic links resolved.
 */
export function repositoryRoot(directory: string, workspace = process.env['GITHUB_WORKSPACE']): string {
  const start = existing(resolve(directory));
  for (let at = start; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (at === dirname(at)) break;
  }
  if (workspace !== undefined && workspace !== '' && existsSync(workspace)) {
    const top = realpathSync(workspace);
    if (start === top || start.startsWith(top + sep)) return top;
  }
  return start;
}

/**
 * `file` (relative to `directory`) as git and GitHub name it: relative to the repository's top, with `/`. Undefined when it
 * lies outside the repository or is the repository itself.
 */
export function repositoryPath(file: string, directory: string, root = repositoryRoot(directory)): string | undefined {
  const path = relative(root, resolve(existing(resolve(directory)), file));
  if (path === '' || isAbsolute(path) || path === '..' || path.startsWith(`..${sep}`)) return undefined;
  return path.split(sep).join('/');
}

function existing(directory: string): string {
  return existsSync(directory) ? realpathSync(directory) : directory;
}
