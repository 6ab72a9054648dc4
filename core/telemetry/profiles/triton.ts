import type { ServingProfile } from '../serving-profile.ts';

/** NVIDIA Triton Inference Server. Its times are counters by default; histograms and quantiles have to be asked for. */
export const tritonProfile = {
  name: 'triton',
  title: 'NVIDIA Triton',
  version: '2.51.0 (run); docs of September 2026',
  sources: [
    'https://github.com/triton-inference-server/server/blob/e1db8a603d863b1317ee859bdeea2be19959462e/docs/user_guide/metrics.md',
    'https://github.com/triton-inference-server/core/blob/73aad7c3348d040c7087d57837d75822c488495e/src/metrics.cc',
    'https://github.com/triton-inference-server/core/blob/73aad7c3348d040c7087d57837d75822c488495e/src/metric_model_reporter.cc',
  ],
  labels: { model: 'model', version: 'version' },
  requests: [{ series: 'nv_inference_request_success' }, { series: 'nv_inference_request_failure' }],
  outcomes: [
    { series: 'nv_inference_request_success', outcome: 'success' },
    {
      series: 'nv_inference_request_failure',
      outcome: {
        label: 'reason',
        values: { client: ['CANCELED'], server: ['REJECTED', 'BACKEND'] },
        otherwise: 'unclear',
      },
    },
  ],
  latency: [
    {
      kind: 'histogram',
      series: 'nv_inference_first_response_histogram_ms',
      unit: 'milliseconds',
      buckets: [100, 500, 2000, 5000],
      setting: '--metrics-config histogram_latencies=true (and finer buckets in config.pbtxt: model_metrics)',
      note: 'Until the first response, which for models that answer once is the only one.',
    },
    {
      kind: 'summary',
      series: 'nv_inference_request_summary_us',
      unit: 'microseconds',
      quantiles: [0.5, 0.9, 0.95, 0.99, 0.999],
      setting: '--metrics-config summary_latencies=true (not with the response cache)',
    },
    {
      kind: 'total',
      sum: 'nv_inference_request_duration_us',
      count: 'nv_inference_request_success',
      unit: 'microseconds',
      note: 'Successful requests only.',
    },
  ],
  queue: {
    kind: 'total',
    sum: 'nv_inference_queue_duration_us',
    count: 'nv_inference_request_success',
    unit: 'microseconds',
  },
  batch: { kind: 'total', sum: 'nv_inference_count', count: 'nv_inference_exec_count', unit: 'rows' },
  queued: { series: 'nv_inference_pending_request_count' },
  gpu: {
    utilization: { series: 'nv_gpu_utilization', scope: 'server' },
    memoryUsed: { series: 'nv_gpu_memory_used_bytes', scope: 'server' },
    memoryTotal: { series: 'nv_gpu_memory_total_bytes', scope: 'server' },
    label: 'gpu_uuid',
  },
  absent: {
    buckets:
      'Triton shows latency as sums by default. Start it with --metrics-config histogram_latencies=true, or read latency from the mesh in front of it.',
    inFlight: 'Triton counts requests that wait (nv_inference_pending_request_count), not those that run.',
    tokens: "Triton's own series count requests; the vLLM and TensorRT-LLM backends add theirs.",
  },
  cautions: [
    'A request refused before it is scheduled (wrong shape, unknown input) is answered 400 and counted nowhere.',
    'A Python backend that answers with an error counts as a success (seen with 2.51.0). Where that may be, take errors from the mesh.',
    'With --metrics-config counter_latencies=false the counters of requests stay at zero, too.',
  ],
} as const satisfies ServingProfile;
