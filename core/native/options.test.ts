import { expect, test, vi } from 'vitest';
import { settle } from './options.ts';

// A user without a line in /etc/passwd and without HOME, as containers have them.
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  homedir: () => {
    throw new Error('uv_os_homedir returned ENOENT');
  },
}));

test('with a native directory nobody asks for the home of a user who may have none', () => {
  const settings = settle({ environment: { SLUICE_NATIVE_DIR: '/native' }, platform: 'linux' });
  expect(settings.toolCaches).toEqual([]);
});

test('the home is the last place asked, after the tool caches of the environment', () => {
  expect(() => settle({ environment: {}, platform: 'linux' })).toThrow(/homedir/);
  expect(settle({ environment: { XDG_CACHE_HOME: '/cache' }, platform: 'linux' }).toolCaches).toHaveLength(1);
});
