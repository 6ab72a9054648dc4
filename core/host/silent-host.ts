import type { Host } from './host.ts';

/** For library calls and tests: does the work, says nothing. */
export const silentHost: Host = {
  group: (_title, work) => work(),
  info: () => {},
  notice: () => {},
  warning: () => {},
  error: () => {},
  progress: () => ({ update: () => {}, end: () => {} }),
  summary: async () => {},
  output: () => {},
  secret: () => {},
};
