import type { ServingProfile } from '../serving-profile.ts';

/** PyTorch's TorchServe, with `metrics_mode=prometheus`. No longer maintained. */
export const torchserveProfile = {
  name: 'torchserve',
  title: 'TorchServe',
  version: '0.12.0 (run)',
  sources: [
    'https://github.com/pytorch/serve/blob/62c4d6a1fdc1d071dbcf758ebd756029af20bd5e/docs/metrics.md',
    'https://github.com/pytorch/serve/blob/62c4d6a1fdc1d071dbcf758ebd756029af20bd5e/frontend/server/src/main/java/org/pytorch/serve/http/api/rest/InferenceRequestHandler.java',
    'https://github.com/pytorch/serve/blob/62c4d6a1fdc1d071dbcf758ebd756029af20bd5e/frontend/server/src/main/java/org/pytorch/serve/job/RestJob.java',
    'https://github.com/pytorch/serve/blob/62c4d6a1fdc1d071dbcf758ebd756029af20bd5e/frontend/server/src/main/java/org/pytorch/serve/util/NettyUtils.java',
  ],
  labels: { model: 'model_name' },
  requests: [{ series: 'ts_inference_requests_total' }],
  serverOutcomes: [
    { series: 'Requests2XX', outcome: 'success' },
    { series: 'Requests4XX', outcome: 'client' },
    { series: 'Requests5XX', outcome: 'server' },
  ],
  latency: [
    {
      kind: 'total',
      sum: 'ts_inference_latency_microseconds',
      count: 'ts_inference_requests_total',
      unit: 'microseconds',
      note: 'The sum has answered requests only, the count has failed ones too: the mean is too low by the share of errors.',
    },
  ],
  queue: {
    kind: 'total',
    sum: 'ts_queue_latency_microseconds',
    count: 'ts_inference_requests_total',
    unit: 'microseconds',
    note: 'The sum has answered requests only, the count has failed ones too.',
  },
  gpu: {
    utilization: { series: 'GPUUtilization', scale: 0.01, scope: 'server' },
    memoryUsed: { series: 'GPUMemoryUsed', scale: 2 ** 20, scope: 'server' },
    label: 'DeviceId',
  },
  absent: {
    version:
      'The label model_version is what the request named in its path, "default" if it named none: it tells versions apart only if every client names one.',
    outcomes:
      'Answers are counted by status for the whole server (Requests2XX, Requests4XX, Requests5XX), its management API and health checks included.',
    buckets: 'TorchServe shows latency as a sum only. Read quantiles from the mesh in front of it.',
    batch: 'TorchServe does not show the size of its batches.',
    inFlight: 'TorchServe does not count requests that run.',
    queued: "TorchServe shows the last request's time in the queue (QueueTime), not how many wait.",
    tokens: 'TorchServe does not count tokens.',
  },
  cautions: [
    'Without metrics_mode=prometheus in config.properties the metrics go to a log file.',
    'GPU numbers are refreshed once a minute.',
    'TorchServe is no longer maintained and gets no security fixes.',
  ],
} as const satisfies ServingProfile;
