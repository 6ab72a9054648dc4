import type { ServingProfile } from '../serving-profile.ts';

/**
 * Any HTTP server with the two series most libraries agree on, as prometheus-fastapi-instrumentator writes them. Another server's
 * differ in a word: copy it and say the word, `{ ...httpProfile, labels: { version: 'app_version' } }`.
 */
export const httpProfile = {
  name: 'http',
  title: 'HTTP server',
  version: 'prometheus-fastapi-instrumentator 8.1.0 (read, not run)',
  sources: ['prometheus-fastapi-instrumentator 8.1.0 (PyPI)'],
  labels: {},
  requests: [{ series: 'http_requests_total' }],
  outcomes: [
    {
      series: 'http_requests_total',
      // "5xx" as well as "503".
      outcome: { label: 'status', values: { client: ['4..'], server: ['5..'] }, otherwise: 'success' },
    },
  ],
  latency: [
    {
      kind: 'histogram',
      series: 'http_request_duration_seconds',
      unit: 'seconds',
      note: 'Failed requests count too.',
    },
  ],
  absent: {
    version: 'An HTTP server does not know of models: tell versions apart by pod.',
    queue: 'An HTTP server does not know of it.',
    batch: 'An HTTP server does not know of it.',
    inFlight: 'There is no name libraries agree on.',
    queued: 'An HTTP server does not know of it.',
    tokens: 'An HTTP server does not know of it.',
    gpu: "GPUs come from NVIDIA's DCGM exporter.",
  },
  cautions: ['Every route counts, health checks and /metrics too: select the route through labels.'],
} as const satisfies ServingProfile;
