import { tokenCacheUsed, tokenRate, tokenTimeQuantile } from '../../../core/telemetry/index.ts';
import type { DashboardScope } from '../dashboard-scope.ts';
import type { Row } from '../panel.ts';

/** What a server of language models tells beyond requests. */
export function tokensRow(scope: DashboardScope): Row {
  const { profile } = scope;
  const all = scope.server();
  return {
    title: 'Tokens',
    panels: [
      ...scope.panel(
        { title: 'Tokens', description: 'Tokens a second, read and written.' },
        [tokenRate(profile, 'prompt', all), 'read'],
        [tokenRate(profile, 'generated', all), 'written'],
      ),
      ...scope.panel(
        { title: 'Time to the first token', description: 'What a person waits for before text appears.' },
        [tokenTimeQuantile(profile, 'timeToFirst', 0.5, all), 'p50'],
        [tokenTimeQuantile(profile, 'timeToFirst', 0.95, all), 'p95'],
      ),
      ...scope.panel(
        { title: 'Time between tokens', description: 'How fast text flows.' },
        [tokenTimeQuantile(profile, 'between', 0.5, all), 'p50'],
        [tokenTimeQuantile(profile, 'between', 0.95, all), 'p95'],
      ),
      ...scope.panel(
        {
          title: 'Key-value cache in use',
          description: 'When it is full, requests wait or are computed again.',
          bounds: [0.8, 0.95],
        },
        [tokenCacheUsed(profile, all), 'used'],
      ),
    ],
  };
}
