import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measurement } from './run.ts';

const warmUps = 5;
const rounds = 40;
const entry = join(import.meta.dirname, '..', 'dist', 'pull-request-gate', 'index.js');

/** Milliseconds from starting Node on a script to its first byte on standard output. The script is ended there. */
async function msToFirstByte(script: string, cwd: string, env: Readonly<Record<string, string>>): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, [script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const complaints: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  const closed = new Promise((resolve) => child.once('close', resolve));
  const ms = await new Promise<number | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.stdout.once('data', () => resolve(performance.now() - began));
    child.stdout.once('end', () => resolve(undefined));
  });
  child.kill('SIGKILL');
  await closed;
  if (ms === undefined) throw new Error(`${script} wrote nothing. ${Buffer.concat(complaints).toString('utf8')}`);
  return ms;
}

function quantile(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((one, other) => one - other);
  const position = share * (sorted.length - 1);
  const [low = Number.NaN, high = low] = sorted.slice(Math.floor(position), Math.floor(position) + 2);
  return low + (high - low) * (position - Math.floor(position));
}

/** What GitHub's runner gives an action's process, as far as the first line could look at it. */
function runnerEnvironment(directory: string): Readonly<Record<string, string>> {
  const sha = '0123456789abcdef0123456789abcdef01234567';
  const files = {
    GITHUB_EVENT_PATH: 'event.json',
    GITHUB_OUTPUT: 'output',
    GITHUB_STEP_SUMMARY: 'summary',
    GITHUB_STATE: 'state',
    GITHUB_ENV: 'env',
    GITHUB_PATH: 'path',
  };
  for (const file of Object.values(files)) writeFileSync(join(directory, file), '');
  const repository = { full_name: 'acme/churn' };
  writeFileSync(
    join(directory, files.GITHUB_EVENT_PATH),
    JSON.stringify({
      repository,
      number: 7,
      pull_request: {
        number: 7,
        head: { sha, ref: 'change', repo: repository },
        base: { sha, ref: 'main', repo: repository },
      },
    }),
  );
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_EVENT_NAME: 'pull_request',
    GITHUB_REPOSITORY: 'acme/churn',
    GITHUB_SHA: sha,
    GITHUB_WORKSPACE: directory,
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_API_URL: 'http://127.0.0.1:9',
    RUNNER_TEMP: directory,
    RUNNER_TOOL_CACHE: directory,
    INPUT_POLICY: 'sluice.yaml',
    ...Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(directory, file)])),
  };
}

/**
 * How long a workflow waits for the root action's first log line, beside an empty Node script that writes one byte. The two are
 * started in turn, each going first every other round, so that a busy machine slows both.
 */
export async function coldStart(): Promise<Measurement> {
  if (!existsSync(entry)) throw new Error('There is no dist: run "npm run build" first.');
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    const empty = join(directory, 'empty.mjs');
    writeFileSync(empty, "process.stdout.write('.');\n");
    const env = runnerEnvironment(directory);
    const samples: Record<'empty' | 'action', number[]> = { empty: [], action: [] };
    for (let round = -warmUps; round < rounds; round++) {
      const order = round % 2 === 0 ? (['empty', 'action'] as const) : (['action', 'empty'] as const);
      for (const which of order) {
        const ms = await msToFirstByte(which === 'empty' ? empty : entry, directory, env);
        if (round >= 0) samples[which].push(ms);
      }
    }
    const [ms, emptyMs] = [quantile(samples.action, 0.5), quantile(samples.empty, 0.5)];
    const row = (name: string, sample: readonly number[]) => ({
      what: name,
      'median ms': Number(quantile(sample, 0.5).toFixed(1)),
      'p10 ms': Number(quantile(sample, 0.1).toFixed(1)),
      'p90 ms': Number(quantile(sample, 0.9).toFixed(1)),
      starts: sample.length,
    });
    const limit = 1.6 * emptyMs + 60;
    return {
      json: { ms: Number(ms.toFixed(2)), emptyMs: Number(emptyMs.toFixed(2)) },
      rows: [row('empty script', samples.empty), row('root action, to its first log line', samples.action)],
      bound: {
        text: `${ms.toFixed(1)} ms ≤ 1.6 × ${emptyMs.toFixed(1)} ms + 60 ms = ${limit.toFixed(1)} ms`,
        holds: ms <= limit,
      },
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
