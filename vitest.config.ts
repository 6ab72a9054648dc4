import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**', 'lib/**', 'testbed/**'],
    globalSetup: 'build/test-folder.ts',
    // All cores: vitest leaves one free, half of what two cores can do.
    maxWorkers: '100%',
    // No test measures time, so these only end what hangs, on a machine however slow.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
