import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder where a user's programs keep what they can make again. `variable` reads the environment. Throws for a user without a home. */
export function userCache(variable: (name: string) => string | undefined): string {
  const xdg = variable('XDG_CACHE_HOME');
  if (xdg !== undefined) return xdg;
  if (process.platform === 'win32') return variable('LOCALAPPDATA') ?? join(homedir(), 'AppData', 'Local');
  return process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache');
}
