import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Gives a run of the unit tests a folder of its own for what is temporary, and removes it after the last one: CDK and cdk8s leave a folder for every app.
 * Node keeps there what it compiled: tests start our sources as programs again and again.
 */
export default function openTestFolder(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tests-'));
  for (const name of ['TMPDIR', 'TMP', 'TEMP']) process.env[name] = folder;
  process.env['NODE_COMPILE_CACHE'] = join(folder, 'compiled');
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  // Ctrl+C ends the run without asking for what is returned.
  process.once('exit', remove);
  return remove;
}
