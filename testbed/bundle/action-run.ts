import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { token } from '../github/index.ts';
import { root } from '../repository-files.ts';
import type { Event } from '../runner/index.ts';
import type { Ended, InstalledPackage } from './installed-package.ts';

export interface ActionRun {
  /** The folder under `actions/`. */
  readonly action: string;
  readonly event: Event;
  readonly inputs?: Readonly<Record<string, string>>;
  /** The repository as it was checked out. */
  readonly workspace: string;
  readonly sha: string;
  readonly github: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly node: string;
}

/** What a step left for others: outputs, what `post` is told, the page of the job. */
export interface ActionOutcome {
  readonly main: Ended;
  /** Of actions that have one. */
  readonly post?: Ended;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

interface Definition {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly runs: { readonly main: string; readonly post?: string };
}

/** Starts an action's files as GitHub's runner does: by its action.yml, with inputs and files in variables; `post` with what `main` saved. */
export async function runAction(installed: InstalledPackage, run: ActionRun): Promise<ActionOutcome> {
  const folder = join(root, 'actions', run.action);
  const { inputs, runs }: Definition = parse(readFileSync(join(folder, 'action.yml'), 'utf8'));
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-action-'));
  try {
    const files = ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY', 'GITHUB_ENV', 'GITHUB_PATH'].map(
      (name) => [name, join(scratch, name)] as const,
    );
    for (const [, file] of files) writeFileSync(file, '');
    const event = join(scratch, 'event.json');
    writeFileSync(event, JSON.stringify(run.event.payload));
    const given = Object.entries(inputs).map(([name, { default: usual = '' }]) => {
      const value = run.inputs?.[name] ?? usual.replace(/^\$\{\{ github\.token \}\}$/, token);
      return [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value] as const;
    });
    const env = {
      ...Object.fromEntries([...files, ...given]),
      GITHUB_ACTIONS: 'true',
      CI: 'true',
      GITHUB_API_URL: run.github,
      GITHUB_SERVER_URL: run.github,
      GITHUB_REPOSITORY: 'acme/churn',
      GITHUB_EVENT_NAME: run.event.name,
      GITHUB_EVENT_PATH: event,
      GITHUB_SHA: run.sha,
      GITHUB_REF: 'refs/heads/main',
      GITHUB_WORKSPACE: run.workspace,
      GITHUB_WORKFLOW: 'Gate',
      GITHUB_JOB: 'gate',
      GITHUB_RUN_ID: '18',
      GITHUB_RUN_ATTEMPT: '1',
      RUNNER_TEMP: scratch,
      RUNNER_TOOL_CACHE: join(scratch, 'tools'),
      ...run.env,
    };
    const step = (file: string, more: Readonly<Record<string, string>> = {}) =>
      installed.entry(file.replace(/^.*dist\//, ''), {
        cwd: run.workspace,
        env: { ...env, ...more },
        node: run.node,
      });
    const main = await step(runs.main);
    const said = (name: string): string => readFileSync(join(scratch, name), 'utf8');
    const state = Object.entries(valuesIn(said('GITHUB_STATE'))).map(([name, value]) => [`STATE_${name}`, value]);
    const post = runs.post === undefined ? undefined : await step(runs.post, Object.fromEntries(state));
    return {
      main,
      ...(post === undefined ? {} : { post }),
      outputs: valuesIn(said('GITHUB_OUTPUT')),
      summary: said('GITHUB_STEP_SUMMARY'),
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** `name<<DELIMITER`, the value's lines, `DELIMITER`: as @actions/core writes the runner's files. */
function valuesIn(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...text.matchAll(/^(.+?)<<(.+)\n([\s\S]*?)\n\2$/gm)].map(([, name = '', , value = '']) => [name, value]),
  );
}
