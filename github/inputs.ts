import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InputError, type Problem } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';

/** What the base is: what GitHub's event says, or a git ref or commit named by the user. Absent: there is no base. */
export type BaseChoice = { readonly kind: 'event' } | { readonly kind: 'ref'; readonly ref: string };

/** What the three gates (pull request, data, quality) are told, whoever starts them. */
export interface GateInputs {
  /** The policy, relative to `directory`. */
  readonly policyFile: string;
  /** The working directory: what `policyFile`, `reportDirectory` and places in messages are relative to. */
  readonly directory: string;
  readonly base?: BaseChoice;
  /** Where report.json, report.html, report.md, report.junit.xml and report.sarif go, relative to `directory`; nothing is written when not given. */
  readonly reportDirectory?: string;
  /** A GitHub token; without one nothing is asked of or published through the API. */
  readonly token?: string;
  /** When the pull request gets the comment. `on-failure` still turns an earlier failure's comment to passed. */
  readonly comment: 'always' | 'on-failure' | 'never';
  /** Whether the head commit gets a check run with annotations on the policy's lines. */
  readonly checkRun: boolean;
  /** `YYYY-MM-DD`, what waivers are held against; today in UTC when not given. */
  readonly today?: string;
}

/** Today in UTC, as waivers write it. */
export function todayOf(inputs: Pick<GateInputs, 'today'>): string {
  return inputs.today ?? new Date().toISOString().slice(0, 10);
}

/**
 * Inputs of an action, as its `action.yml` names them, from `read` (which gives '' for what is not set). The three gates share
 * them. Throws an `InputError` with every problem.
 */
export function gateInputsFrom(read: (name: string) => string): GateInputs {
  const problems: Problem[] = [];
  const choice = <Value extends string>(name: string, values: readonly Value[], fallback: Value): Value => {
    const given = read(name).trim();
    const found = given === '' ? fallback : values.find((value) => value === given.toLowerCase());
    if (found !== undefined) return found;
    problems.push({
      code: 'input',
      message: `the input "${name}" is not one of its values`,
      found: `"${excerpt(given)}"`,
      expected: values.join(', '),
      fix: `Write one of them, or leave the input out for "${fallback}".`,
    });
    return fallback;
  };
  const comment = choice('comment', ['always', 'on-failure', 'never'], 'always');
  const checkRun = choice('check-run', ['true', 'false'], 'true') === 'true';
  const token = read('token').trim();
  const reportDirectory = read('report-directory').trim();
  const [first, ...more] = problems;
  if (first !== undefined) throw new InputError([first, ...more]);
  return {
    policyFile: read('policy').trim() || 'sluice.yaml',
    directory: workingDirectory(read('working-directory').trim()),
    base: { kind: 'event' },
    ...(reportDirectory === '' ? {} : { reportDirectory }),
    ...(token === '' ? {} : { token }),
    comment,
    checkRun,
  };
}

function workingDirectory(given: string): string {
  const directory = resolve(given);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return directory;
  throw new InputError({
    code: 'input',
    message: 'the input "working-directory" is not a folder of this job',
    found: `"${excerpt(given)}"`,
    fix: 'Name a folder relative to the workspace, and run actions/checkout before this step.',
  });
}
