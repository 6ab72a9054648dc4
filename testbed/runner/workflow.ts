import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { token } from '../github/index.ts';
import { actBinary } from './act.ts';
import type { Event } from './event.ts';
import { exportKit } from './kit.ts';
import { closedDoors, withoutNetwork } from './network.ts';
import { type Outcome, readOutcome } from './outcome.ts';

export interface WorkflowRun {
  /** The workflow file's text. */
  readonly workflow: string;
  readonly event: Event;
  /** The repository as it was checked out (`Project.checkout`). */
  readonly directory: string;
  readonly github: { readonly url: string; readonly socket: string };
  readonly env?: Readonly<Record<string, string>>;
  /** With `off`, the default, only the GitHub stand-in can be reached: nothing else should be needed. */
  readonly network?: 'on' | 'off';
  /** The runner's tool cache is kept here; an empty one for this run when not given. */
  readonly runnerCache?: string;
  /** Told the runner's process as soon as there is one, to send it a signal. */
  readonly onProcess?: (id: number) => void;
  /** A tree to use as `sluice-ml/sluice@v1`; what is committed here when not given. */
  readonly kit?: string;
}

/** Runs a workflow on the real runner, in host mode, and reads what came of it. */
export async function runWorkflow(run: WorkflowRun): Promise<Outcome> {
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-run-'));
  try {
    const workflow = join(scratch, 'workflow.yml');
    writeFileSync(workflow, run.workflow);
    const event = join(scratch, 'event.json');
    writeFileSync(event, JSON.stringify(run.event.payload));
    const variables = {
      GITHUB_API_URL: run.github.url,
      GITHUB_SERVER_URL: run.github.url,
      ...(run.network === 'on' ? {} : closedDoors),
      ...run.env,
    };
    const act = [
      await actBinary(),
      run.event.name,
      ...['--workflows', workflow, '--eventpath', event, '--directory', run.directory],
      ...['--platform', 'ubuntu-latest=-self-hosted', '--json', '--no-cache-server'],
      ...['--secret', `GITHUB_TOKEN=${token}`],
      ...['--local-repository', `sluice-ml/sluice@v1=${run.kit ?? exportKit()}`],
      ...Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ];
    const stdout = openSync(join(scratch, 'stdout'), 'w');
    const stderr = openSync(join(scratch, 'stderr'), 'w');
    const [program = '', ...parameters] = run.network === 'on' ? act : withoutNetwork(act, run.github);
    const child = spawn(program, parameters, {
      // In host mode the runner hands its environment on to the steps, so it gets almost none.
      env: {
        PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
        HOME: scratch,
        XDG_CACHE_HOME: run.runnerCache ?? join(scratch, 'cache'),
      },
      // Into files: the runner cuts lines short that a pipe does not take at once, such as a long summary.
      stdio: ['ignore', stdout, stderr],
    });
    if (child.pid !== undefined) run.onProcess?.(child.pid);
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    closeSync(stdout);
    closeSync(stderr);
    const said = (name: string) => readFileSync(join(scratch, name), 'utf8');
    return readOutcome(exitCode, said('stdout'), said('stderr'));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
