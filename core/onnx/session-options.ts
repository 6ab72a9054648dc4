/** Only fatal errors: the others also come back as exceptions, and stderr is past every host. */
export const silentRun = { logSeverityLevel: 4 } as const;

/** On the CPU, on one thread and in order: the same model and data give the same numbers on every run, in whichever process. */
export const repeatableSession = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  ...silentRun,
} as const;
