import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**', 'lib/**', 'testbed/**'],
    testTimeout: 30_000,
  },
});
