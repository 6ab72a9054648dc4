import type { ServingProfile } from '../serving-profile.ts';

/** The two routes of inference, as starlette_exporter names them. */
const inferRoutes = {
  path: ['/v2/models/{model_name}/infer', '/v2/models/{model_name}/versions/{model_version}/infer'],
} as const;

/** Seldon's MLServer: the server inside Seldon Core 2. */
export const mlserverProfile = {
  name: 'mlserver',
  title: 'MLServer',
  version: '1.7.1 (run)',
  sources: [
    'mlserver 1.7.1 (PyPI): mlserver/handlers/dataplane.py, mlserver/rest/app.py, mlserver/parallel/dispatcher.py',
  ],
  labels: { model: 'model' },
  requests: [{ series: 'model_infer_request_success_total' }, { series: 'model_infer_request_failure_total' }],
  outcomes: [
    { series: 'model_infer_request_success_total', outcome: 'success' },
    { series: 'model_infer_request_failure_total', outcome: 'unclear' },
  ],
  serverOutcomes: [
    {
      series: 'rest_server_requests_total',
      where: inferRoutes,
      outcome: { label: 'status_code', values: { client: ['4..'], server: ['5..'] }, otherwise: 'success' },
    },
  ],
  latency: [
    {
      kind: 'total',
      sum: 'model_infer_request_duration_sum',
      count: 'model_infer_request_duration_count',
      unit: 'seconds',
      note: 'Failed requests count too.',
    },
    {
      kind: 'histogram',
      series: 'rest_server_request_duration_seconds',
      unit: 'seconds',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
      where: inferRoutes,
      scope: 'server',
      note: 'Requests over HTTP only, all models of the server together.',
    },
  ],
  absent: {
    version:
      'The label version is what the request named in its path, "None" if it named none: it tells versions apart only if every client names one.',
    buckets:
      'Per model MLServer has a summary without quantiles. Buckets are there for HTTP as a whole (rest_server_request_duration_seconds).',
    queue: 'MLServer does not show how long requests wait.',
    batch: 'MLServer does not show the size of its adaptive batches.',
    inFlight: 'MLServer does not count requests that run.',
    queued: 'parallel_request_queue is a histogram of what a request saw when it came, not how many wait now.',
    tokens: 'MLServer does not count tokens.',
    gpu: "MLServer does not show its GPU. Load and memory come from NVIDIA's DCGM exporter.",
  },
  cautions: [
    'A failure is a failure whether the client or the model was at fault; the status codes of HTTP tell, for the whole server.',
    'Any name a client asks for becomes a label: select the models you know.',
  ],
} as const satisfies ServingProfile;
