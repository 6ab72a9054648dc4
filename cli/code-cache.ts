import module from 'node:module';
import { join } from 'node:path';
import { userCache } from '../core/native/index.ts';

/**
 * From the second run on V8 finds the command's code compiled in the user's cache directory, beside the native libraries. Not where CI runs: there
 * the cache would mostly be written for nobody, or by the code of a pull request for the runs after it. Without a home, or in a Node before 22,
 * nothing is kept. `NODE_COMPILE_CACHE` and `NODE_DISABLE_COMPILE_CACHE` go before.
 */
export function keepCompiledCode(environment: Readonly<Record<string, string | undefined>>): void {
  const ci = environment['CI'] ?? '';
  if (ci !== '' && ci !== 'false') return;
  try {
    module.enableCompileCache?.(
      join(
        userCache((name) => environment[name] || undefined),
        'sluice-code',
      ),
    );
  } catch {
    // A user without a home directory has no cache.
  }
}
