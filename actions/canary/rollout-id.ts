import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { basename } from 'node:path';
import { InputError } from '../../core/problem/index.ts';
import { excerpt, printable } from '../../core/text/index.ts';
import { repositoryPath, repositoryRoot, resolveRevision } from '../../github/index.ts';
import type { CanaryGate } from './canary-gate.ts';
import type { CanaryPlace } from './canary-inputs.ts';

/** Characters: it stands in an annotation beside everything else that is kept of a rollout. */
const longest = 200;

/**
 * The rollout's id: as given, else the repository and the commit, and the policy where that is not the repository's own: a run of the same
 * commit goes on with it. Throws an `InputError` where there is neither.
 */
export async function rolloutIdOf(inputs: CanaryPlace, { event }: Pick<CanaryGate, 'event'>): Promise<string> {
  const { id, directory, policyFile } = inputs;
  if (id !== undefined) return checked(id);
  const root = repositoryRoot(directory);
  const commit = event?.headSha || (await resolveRevision('HEAD', { root }));
  if (commit === undefined) {
    throw new InputError({
      code: 'no-id',
      message: 'nothing says which rollout this is: there is no id, and no commit to take it from',
      fix: 'Give --id (the input "id"): a text that is the same for every run that goes on with this rollout, such as a version.',
    });
  }
  const path = repositoryPath(policyFile, directory) ?? 'sluice.yaml';
  const name = `${event?.repository ?? basename(root)}@${commit.slice(0, 12)}${path === 'sluice.yaml' ? '' : `:${path}`}`;
  return Array.from(printable(name)).slice(0, longest).join('');
}

function checked(id: string): string {
  if (id.trim() !== '' && id.length <= longest && printable(id) === id) return id;
  throw new InputError({
    code: 'bad-id',
    message: 'the id of the rollout is no id',
    found: `"${excerpt(id)}"`,
    expected: `1 to ${longest} printable characters`,
    fix: 'Take a version, a commit or a run number.',
  });
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Names one run, for people and for fencing: never two of one name. */
export function holderOf({ event }: Pick<CanaryGate, 'event'>, environment: Environment = process.env): string {
  const once = randomBytes(4).toString('hex');
  if (event === undefined)
    return `${whoOf({}, environment)} on ${printable(hostname())}, process ${process.pid} (${once})`;
  return `${event.runUrl} attempt ${printable(environment['GITHUB_RUN_ATTEMPT'] ?? '1')} (${once})`;
}

/** Who gives an order: the person who started the workflow, or the user of this machine. */
export function whoOf({ event }: Pick<CanaryGate, 'event'>, environment: Environment = process.env): string {
  const actor = environment['GITHUB_TRIGGERING_ACTOR'] || environment['GITHUB_ACTOR'];
  if (event !== undefined && actor !== undefined && actor !== '') return excerpt(actor, 60);
  try {
    return excerpt(userInfo().username, 60);
  } catch {
    // A container without an entry for its user.
    return 'somebody';
  }
}
