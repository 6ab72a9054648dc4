import type { ServingProfile } from '../serving-profile.ts';

const buckets = [
  1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10_000, 60_000, 120_000, 300_000, 600_000,
] as const;

/** Ray Serve's HTTP proxy, through the metrics agent of each Ray node. A model is an application. */
export const rayServeProfile = {
  name: 'ray-serve',
  title: 'Ray Serve',
  version: '2.60.0 (run)',
  sources: ['ray 2.60.0 (PyPI): ray/serve/_private/request_ingress_metrics.py, router.py, constants.py, batching.py'],
  labels: { model: 'application' },
  requests: [{ series: 'ray_serve_num_http_requests_total' }],
  outcomes: [
    {
      series: 'ray_serve_num_http_requests_total',
      outcome: { label: 'status_code', values: { client: ['4..'], server: ['5..'] }, otherwise: 'success' },
    },
  ],
  latency: [
    {
      kind: 'histogram',
      series: 'ray_serve_http_request_latency_ms',
      unit: 'milliseconds',
      buckets,
      note: 'Ray adds the middle of the bucket to the sum for every request: means are rough, the buckets are exact.',
    },
  ],
  queued: { series: 'ray_serve_deployment_queued_queries' },
  inFlight: { series: 'ray_serve_num_ongoing_requests_at_replicas' },
  absent: {
    version:
      'A version of an application is not in its series: deploy versions as applications or clusters of their own.',
    queue: 'Ray shows the time a batch waited (ray_serve_batch_wait_time_ms), for functions with @serve.batch only.',
    batch:
      'Ray shows the size of batches (ray_serve_actual_batch_size), for functions with @serve.batch only, without the application.',
    tokens: 'Ray Serve LLM runs vLLM, whose series appear as ray_vllm_*.',
    gpu: 'Ray shows GPUs by node (ray_node_gpus_utilization), not by application; see the DCGM exporter.',
  },
  cautions: [
    'Processes send their numbers to the agent every few seconds: a scrape right after a request may not have it yet.',
    'Every request to the route counts, health checks on it too. A request to no route has an empty application.',
    'Ray counts gRPC apart (ray_serve_num_grpc_requests_total), with names of statuses instead of numbers.',
  ],
} as const satisfies ServingProfile;
