import { defineConfig } from 'vitest/config';
import { LongestFirst } from './longest-first.ts';

/**
 * Tests that measure no time, and share nothing: workflows on the real runner, real servers and clusters, numbers held against the tools they come
 * from. Many wait more than they work, for leases, scrapes and outages, and while they wait others have the processor.
 */
const sideBySide = [
  '{base-branch,bundle,consumer,detect-drift-action,publish-report,publishing,pull-request-gate,smoke-action,sub-actions}.test.ts',
  '{constructs,hosts,manifest-linters,platform,ray-serve,spark,triton-config}.test.ts',
  '{data-sources,great-expectations,gymnasium,mlflow-sources,sarif,trino}.test.ts',
  '{aws,canary,github,kubernetes,model-fetch,model-zoo,monitoring,prometheus,telemetry}/**/*.test.ts',
  'serving/v2-*.test.ts',
];

export default defineConfig({
  test: {
    root: import.meta.dirname,
    // These only end what hangs: no file is hurried, however many run beside it.
    testTimeout: 300_000,
    // Some bring a peer the first time, and build it.
    hookTimeout: 1_800_000,
    // Tests that say they are concurrent only wait: all of them at once.
    maxConcurrency: 100,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        // What measures latency, or what is new and has not shown that it can stand others beside it.
        extends: true,
        test: {
          name: 'one at a time',
          include: ['**/*.test.ts'],
          exclude: sideBySide,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'side by side', include: sideBySide, maxWorkers: 4, sequence: { groupOrder: 0 } },
      },
    ],
  },
});
