import type { ServingProfile } from '../serving-profile.ts';

const received = { reporter: ['destination'] } as const;

/** What Istio's proxies say of any HTTP or gRPC service, as the receiving side sees it. The one that also sees what no server counts. */
export const istioProfile = {
  name: 'istio',
  title: 'Istio',
  version: 'reference of standard metrics, 1.2x and later (read, not run)',
  sources: [
    'https://github.com/istio/istio.io/blob/0d3a9e890c553efbbcd9b6d4f9ebb594bd23c81d/content/en/docs/reference/config/metrics/index.md',
    'https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/metrics/v3/stats.proto#config-metrics-v3-histogrambucketsettings',
  ],
  labels: {
    model: 'destination_service_name',
    version: 'destination_version',
    namespace: 'destination_workload_namespace',
  },
  requests: [{ series: 'istio_requests_total', where: received }],
  outcomes: [
    {
      series: 'istio_requests_total',
      where: received,
      outcome: {
        // 0: the client went away before there was an answer (Envoy's response flag DC).
        label: 'response_code',
        values: { client: ['4..', '0'], server: ['5..'] },
        otherwise: 'success',
      },
    },
  ],
  latency: [
    {
      kind: 'histogram',
      series: 'istio_request_duration_milliseconds',
      unit: 'milliseconds',
      // Envoy's default for Prometheus.
      buckets: [
        0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
        3_600_000,
      ],
      where: received,
      note: 'From the first byte of the request to the last of the answer, failed ones too.',
    },
  ],
  absent: {
    queue: 'The proxy does not see inside the server.',
    batch: 'The proxy does not see inside the server.',
    inFlight: 'Istio does not export requests that run (Envoy has them as cluster statistics, off by default).',
    queued: 'The proxy does not see inside the server.',
    tokens: 'The proxy does not see inside the server.',
    gpu: "The proxy does not see inside the server. GPUs come from NVIDIA's DCGM exporter.",
  },
  cautions: [
    'destination_version is the pod label "version": the two sides of a canary need different ones.',
    'If the server has no sidecar, only the sending side reports: replace reporter="destination" by "source" or "waypoint" through labels.',
    'A gRPC error has response_code 200 and its own label grpc_response_status.',
  ],
} as const satisfies ServingProfile;
