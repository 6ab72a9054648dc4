import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const cli = join(import.meta.dirname, '..', '..', 'cli', 'index.ts');

/** What `sluice smoke` said of a server. */
export interface SmokeRun {
  readonly exitCode: number;
  readonly headline: string;
  /** Status of each check by its id, in the report's order; empty when the server could not be judged. */
  readonly statuses: Readonly<Record<string, string>>;
  /** Messages of the checks that failed, by id. */
  readonly failed: Readonly<Record<string, string>>;
  /** What it wrote for people. */
  readonly log: string;
}

interface Report {
  readonly headline: string;
  readonly checks: readonly { readonly id: string; readonly status: string; readonly message: string }[];
}

/**
 * Runs `sluice smoke URL`, as a user does.
 * @param plan the policy's `smoke`
 * @param model the ONNX file that should be running
 * @param name of the model on the server
 */
export async function smokeRun(
  url: string,
  plan: object,
  { model, name }: { model: string; name: string },
): Promise<SmokeRun> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-smoke-'));
  writeFileSync(join(folder, 'sluice.yaml'), JSON.stringify({ version: 1, smoke: plan }, undefined, 2));
  const args = [cli, 'smoke', url, '--model', model, '--name', name, '--policy', 'sluice.yaml', '--json'];
  try {
    const { exitCode, stdout, log } = await ended(args, folder);
    return { exitCode, log, ...judged(stdout) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function ended(args: readonly string[], cwd: string): Promise<{ exitCode: number; stdout: string; log: string }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, log) => {
      const exitCode = error === null ? 0 : error.code;
      if (typeof exitCode === 'number') resolve({ exitCode, stdout, log });
      else reject(error);
    });
  });
}

function judged(stdout: string): Pick<SmokeRun, 'headline' | 'statuses' | 'failed'> {
  // Where the server could not be judged, what stopped it is told instead of a report.
  const { headline = '', checks = [] } = JSON.parse(stdout || '{}') as Partial<Report>;
  return {
    headline,
    statuses: Object.fromEntries(checks.map(({ id, status }) => [id, status])),
    failed: Object.fromEntries(
      checks.filter(({ status }) => status === 'fail' || status === 'error').map(({ id, message }) => [id, message]),
    ),
  };
}
