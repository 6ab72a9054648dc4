import { main } from './main.ts';
import type { Streams } from './streams.ts';

/** What a call of the command wrote and how it ended. */
export interface Recording {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command inside this process, as if from `directory`, and records what it writes. For tests. */
export async function record(
  directory: string,
  argv: readonly string[],
  environment: Streams['environment'] = {},
): Promise<Recording> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const exitCode = await main(argv, {
    stdout: { write: (text) => stdout.push(text) },
    stderr: { write: (text) => stderr.push(text) },
    environment,
    directory,
  });
  return { exitCode, stdout: stdout.join(''), stderr: stderr.join('') };
}
