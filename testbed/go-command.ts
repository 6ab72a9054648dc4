import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Go on PATH, or where its installer puts it. */
export async function goCommand(): Promise<string> {
  for (const command of ['go', '/usr/local/go/bin/go']) {
    try {
      await run(command, ['version']);
      return command;
    } catch {
      // The next one.
    }
  }
  throw new Error('Go is not on PATH');
}
