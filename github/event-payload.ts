import { readFile } from 'node:fs/promises';
import { InputError, type Problem } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';
import { isCommitSha } from './git-name.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** `owner/name` of the repository the workflow runs in. Throws an `InputError` when GitHub does not say it. */
export function repositoryOf(env: Environment): string {
  const repository = env['GITHUB_REPOSITORY'] ?? '';
  if (/^[\w.-]+\/[\w.-]+$/.test(repository)) return repository;
  throw eventProblem('GITHUB_REPOSITORY is not owner/name', {
    found: excerpt(repository === '' ? 'nothing' : repository),
  });
}

/** A value inside a payload; undefined where the payload does not have it. */
export function payloadField(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[key];
  }
  return at;
}

/** What GitHub always gives a job is missing or odd: somebody else's runner, or a variable that a step overwrote. */
export function eventProblem(message: string, more: Omit<Problem, 'code' | 'message'> = {}): InputError {
  return new InputError({
    code: 'event',
    message,
    fix: "Start the gate from GitHub's own event, and let no step set GITHUB_ variables.",
    ...more,
  });
}

/** A commit of the payload; GitHub writes forty zeros for "no commit". */
export function payloadCommit(payload: unknown, ...path: readonly string[]): string | undefined {
  const value = payloadField(payload, ...path);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !isCommitSha(value)) {
    throw eventProblem(`the event's ${path.join('.')} is not a commit`, { found: excerpt(JSON.stringify(value)) });
  }
  return /^0+$/.test(value) ? undefined : value;
}

/** The event as GitHub describes it in `GITHUB_EVENT_PATH`; empty without one. Throws an `InputError` when it cannot be read. */
export async function readPayload(path: string | undefined): Promise<unknown> {
  if (path === undefined || path === '') return {};
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new InputError(
      {
        code: 'event',
        message: 'the event GitHub describes in GITHUB_EVENT_PATH cannot be read',
        place: { file: path },
        found: cause instanceof Error ? cause.message : String(cause),
        fix: "Start the gate from GitHub's own event; in a container job mount GitHub's folder of events.",
      },
      { cause },
    );
  }
}
