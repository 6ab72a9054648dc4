import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One request, sent over and over. */
export interface Shot {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

export interface Load {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** `wrk debian/4.1.0-3+b2`; throws when it is not there, with how to get it. */
export function wrkVersion(): string {
  try {
    return execFileSync('wrk', ['-v'], { encoding: 'utf8' }).split(' [')[0] ?? '';
  } catch (error) {
    // It prints its version and ends with 1.
    const { stdout } = error as { readonly stdout?: unknown };
    if (typeof stdout === 'string' && stdout.startsWith('wrk')) return stdout.split(' [')[0] ?? '';
    throw new Error(
      'The benchmark needs wrk (https://github.com/wg/wrk), which is not on PATH. Install it ("apt-get install wrk", "brew install wrk").',
    );
  }
}

/**
 * Sends a request over and over on so many connections, each waiting for its answer (a closed loop), from one thread.
 * @throws when an answer is not 2xx or does not come: such a load measures nothing
 */
export async function loadWith(shot: Shot, connections: number, seconds: number): Promise<Load> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-wrk-'));
  try {
    const [body, headers] = [join(folder, 'body'), join(folder, 'headers')];
    writeFileSync(body, shot.body);
    writeFileSync(
      headers,
      Object.entries(shot.headers)
        .map(([name, value]) => `${name}: ${value}\n`)
        .join(''),
    );
    const { stdout } = await run(
      'wrk',
      [
        '-t1',
        `-c${connections}`,
        `-d${seconds}s`,
        '--timeout',
        '10s',
        '-s',
        join(import.meta.dirname, 'post.lua'),
        shot.url,
      ],
      { env: { ...process.env, BODY: body, HEADERS: headers } },
    );
    const said = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Readonly<Record<string, number>>;
    const { requests = 0, microseconds = 0, p50 = 0, p99 = 0, refused = 0, failed = 0 } = said;
    if (requests === 0 || refused > 0 || failed > 0) {
      throw new Error(
        `${shot.url} with ${connections} connections: of ${requests} answers ${refused} were refusals, ${failed} never came.`,
      );
    }
    return { requestsPerSecond: requests / (microseconds / 1e6), p50Ms: p50 / 1e3, p99Ms: p99 / 1e3 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
