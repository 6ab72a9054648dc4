import { defineConfig } from 'vitest/config';

/** Tests that wait more than they work: for leases, scrapes, outages. The others measure latency, or their peers take both cores. */
const waiting = [
  '{constructs,hosts,manifest-linters,ray-serve,triton-config}.test.ts',
  '{canary,github,kubernetes,model-fetch,monitoring,prometheus}/**/*.test.ts',
];

/** Tests that share nothing and measure no time: workflows on the real runner, and numbers held against the tools they come from. */
const paired = [
  '{base-branch,consumer,detect-drift-action,publish-report,publishing,pull-request-gate,smoke-action,sub-actions}.test.ts',
  '{data-sources,great-expectations,gymnasium,mlflow-sources,sarif,trino}.test.ts',
  '{aws,model-zoo}/**/*.test.ts',
];

export default defineConfig({
  test: {
    root: import.meta.dirname,
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // Tests that say they are concurrent only wait: all of them at once.
    maxConcurrency: 100,
    projects: [
      {
        extends: true,
        test: {
          name: 'one at a time',
          include: ['**/*.test.ts'],
          exclude: [...waiting, ...paired],
          fileParallelism: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'two at a time', include: paired, maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: 'side by side', include: waiting, maxWorkers: 3, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
