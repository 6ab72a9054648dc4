import { basename, dirname, resolve } from 'node:path';
import type { Host } from '../core/host/index.ts';
import {
  type EffectivePolicy,
  headOnly,
  type LoadedPolicy,
  parsePolicy,
  readPolicy,
  stricterOf,
} from '../core/policy/index.ts';
import { PolicyError } from '../core/problem/index.ts';
import type { Notice, Report } from '../core/report/index.ts';
import { excerpt } from '../core/text/index.ts';
import manifest from '../package.json' with { type: 'json' };
import { type GitHubApi, gitHubApi } from './api.ts';
import { type BaseFiles, baseFilesOf } from './base-files.ts';
import { type GitHubEvent, readEvent } from './event.ts';
import type { GateInputs } from './inputs.ts';

/** What a run is judged by, and where it stands. */
export interface Gate {
  readonly policy: EffectivePolicy;
  /** The policy's folder: what the paths in it are relative to. */
  readonly directory: string;
  /** The base commit's files, by the same relative paths. Absent without a base. */
  readonly base?: BaseFiles;
  readonly event?: GitHubEvent;
  readonly commit?: Report['commit'];
  readonly notices: readonly Notice[];
}

/**
 * The policy in force: the stricter of the pull request's and its base's. The head's is read from disk, the base's from the base
 * commit, at the same path.
 *
 * Only the head's counts, and a notice says why, when there is no base (a `schedule`, a new branch), when the base commit
 * has no policy there (the first pull request), and when the base's is not a valid policy: no pull request can have
 * broken its own base, and the one that mends it must be able to pass. The last is a warning in the log too: the base's may be
 * sound to another version of Sluice. A pull request that leaves the policy alone never profits, since the same text is no
 * more valid at its head. Two valid policies that cannot stand together are an error (`SluiceError`). A base that cannot be
 * reached is a `PeerError`, never "no base": else an outage would open the gate.
 */
export async function loadEffectivePolicy(
  inputs: Pick<GateInputs, 'policyFile' | 'directory' | 'base' | 'token'>,
  host: Host,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Gate> {
  const event = inputs.base?.kind === 'event' ? await readEvent(env) : undefined;
  const file = resolve(inputs.directory, inputs.policyFile);
  const head = await readPolicy(file, inputs.policyFile);
  const directory = dirname(file);
  const api = event === undefined ? undefined : apiOf(event, inputs.token, host);
  const base = await openBase(inputs, event, directory, api, host);
  const known = {
    directory,
    ...(base === undefined ? {} : { base }),
    ...(event === undefined ? {} : { event }),
    ...(event === undefined || event.headSha === ''
      ? {}
      : { commit: { head: event.headSha, ...(base === undefined ? {} : { base: base.sha }) } }),
  };
  if (base === undefined) {
    const why = inputs.base === undefined ? [] : [noBase(event)];
    return { ...known, policy: headOnly(head), notices: why };
  }

  const text = await base.read(basename(file));
  const at = base.sha.slice(0, 12);
  if (text === undefined) {
    const message = `The base (${at}) has no ${excerpt(inputs.policyFile)}, so this one alone decides. From the merge on it guards itself.`;
    return { ...known, policy: headOnly(head), notices: [{ level: 'notice', message }] };
  }
  const basePolicy = readBasePolicy(text, inputs.policyFile);
  if (!(basePolicy instanceof PolicyError)) {
    return { ...known, policy: stricterOf(basePolicy, head), notices: [] };
  }
  const message = `The base's ${excerpt(inputs.policyFile)} (${at}) is not a valid policy to Sluice ${manifest.version} (${firstFault(basePolicy)}), so the pull request's alone decides. Review its bounds by hand.`;
  host.warning(message);
  return { ...known, policy: headOnly(head), notices: [{ level: 'warning', message }] };
}

/** The base's policy, or why it is none. Nothing else is caught here: what goes wrong later must not read as a broken base. */
function readBasePolicy(text: Uint8Array, file: string): LoadedPolicy | PolicyError {
  try {
    return parsePolicy(text, file);
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
}

function firstFault({ problems }: PolicyError): string {
  const [{ place, message }, ...others] = problems;
  const line = place?.line === undefined ? '' : `line ${place.line}: `;
  return `${line}${excerpt(message, 200)}${others.length === 0 ? '' : ', and more'}`;
}

/** The API of the repository a job runs in; undefined without a token. */
export function apiOf(event: GitHubEvent, token: string | undefined, host: Host): GitHubApi | undefined {
  if (token === undefined || token === '') return undefined;
  host.secret(token);
  return gitHubApi({
    repository: event.repository,
    token,
    apiUrl: event.apiUrl,
    serverUrl: event.serverUrl,
    onWait: (seconds) => host.info(`GitHub asks to wait ${seconds} s.`),
  });
}

async function openBase(
  inputs: Pick<GateInputs, 'base'>,
  event: GitHubEvent | undefined,
  directory: string,
  api: GitHubApi | undefined,
  host: Host,
): Promise<BaseFiles | undefined> {
  const choice = inputs.base;
  if (choice === undefined) return undefined;
  if (choice.kind === 'ref') return baseFilesOf({ directory, commit: { ref: choice.ref }, host });
  if (event?.baseSha === undefined) return undefined;
  return baseFilesOf({ directory, commit: { sha: event.baseSha }, host, ...(api === undefined ? {} : { api }) });
}

function noBase(event: GitHubEvent | undefined): Notice {
  const what = event === undefined ? 'This run' : `The event ${excerpt(event.name)}`;
  return {
    level: 'notice',
    message: `${what} names no base commit, so the checked-out policy alone decides and there is no baseline from a base branch.`,
  };
}
