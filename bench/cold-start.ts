import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measurement } from './measurement.ts';
import { quantile } from './quantile.ts';

const warmUps = 5;
const rounds = 40;
const entry = join(import.meta.dirname, '..', 'dist', 'pull-request-gate', 'index.js');

/** Milliseconds from starting Node on a script until it has written what is waited for. The script is ended there. */
async function msUntil(
  wanted: RegExp,
  script: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, [script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const complaints: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  const closed = new Promise((resolve) => child.once('close', resolve));
  let written = '';
  const ms = await new Promise<number | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.stdout.on('data', (chunk: Buffer) => {
      written += chunk.toString('utf8');
      if (wanted.test(written)) resolve(performance.now() - began);
    });
    child.stdout.once('end', () => resolve(undefined));
  });
  child.kill('SIGKILL');
  await closed;
  if (ms === undefined) throw new Error(`${script} never wrote ${wanted}: ${written}${Buffer.concat(complaints)}`);
  return ms;
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
 * How long a workflow waits for the root action's first log line, beside an empty Node script that writes one byte; and for its
 * first phase, when everything but the engines is loaded. They are started in turn, in the other order every other round, so
 * that a busy machine slows all.
 */
export async function coldStart(): Promise<Measurement> {
  if (!existsSync(entry)) throw new Error('There is no dist: run "npm run build" first.');
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    const empty = join(directory, 'empty.mjs');
    writeFileSync(empty, "process.stdout.write('.');\n");
    const env = runnerEnvironment(directory);
    const starts = [
      { name: 'empty script', script: empty, wanted: /./, ms: [] as number[] },
      { name: 'root action, to its first log line', script: entry, wanted: /\n/, ms: [] as number[] },
      { name: 'root action, to its first phase', script: entry, wanted: /::group::/, ms: [] as number[] },
    ] as const;
    for (let round = -warmUps; round < rounds; round++) {
      for (const { script, wanted, ms } of round % 2 === 0 ? starts : starts.toReversed()) {
        const taken = await msUntil(wanted, script, directory, env);
        if (round >= 0) ms.push(taken);
      }
    }
    const [emptyMs, ms] = [quantile(starts[0].ms, 0.5), quantile(starts[1].ms, 0.5)];
    const limit = 1.6 * emptyMs + 60;
    return {
      json: { ms: Number(ms.toFixed(2)), emptyMs: Number(emptyMs.toFixed(2)) },
      tables: [
        {
          title: "from Node's start",
          rows: starts.map((start) => ({
            what: start.name,
            'median ms': Number(quantile(start.ms, 0.5).toFixed(1)),
            'p10 ms': Number(quantile(start.ms, 0.1).toFixed(1)),
            'p90 ms': Number(quantile(start.ms, 0.9).toFixed(1)),
            starts: start.ms.length,
          })),
        },
      ],
      bounds: [
        {
          text: `${ms.toFixed(1)} ms ≤ 1.6 × ${emptyMs.toFixed(1)} ms + 60 ms = ${limit.toFixed(1)} ms`,
          holds: ms <= limit,
        },
      ],
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
