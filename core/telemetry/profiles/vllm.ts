import type { ServingProfile } from '../serving-profile.ts';

const requestBuckets = [
  0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
] as const;

/** vLLM's OpenAI-compatible server, engine V1. */
export const vllmProfile = {
  name: 'vllm',
  title: 'vLLM',
  version: '0.11 and later (read, not run)',
  sources: [
    'https://docs.vllm.ai/en/stable/usage/metrics/',
    'https://github.com/vllm-project/vllm/blob/005a810bc40faa25b8870fbc8559c3462581eee3/vllm/v1/metrics/loggers.py',
    'https://github.com/vllm-project/vllm/blob/f22d6e026798a74e6542a52ef776c054f2de572a/vllm/v1/engine/__init__.py',
  ],
  labels: { model: 'model_name' },
  requests: [{ series: 'vllm:request_success_total' }],
  outcomes: [
    {
      series: 'vllm:request_success_total',
      outcome: {
        label: 'finished_reason',
        values: { success: ['stop', 'length', 'repetition'], client: ['abort'], server: ['error'] },
        otherwise: 'unclear',
      },
    },
  ],
  serverOutcomes: [
    {
      series: 'http_requests_total',
      outcome: { label: 'status', values: { client: ['4..'], server: ['5..'] }, otherwise: 'success' },
    },
  ],
  latency: [
    {
      kind: 'histogram',
      series: 'vllm:e2e_request_latency_seconds',
      unit: 'seconds',
      buckets: requestBuckets,
      note: 'To the last token: it grows with the length of answers.',
    },
  ],
  queue: { kind: 'histogram', series: 'vllm:request_queue_time_seconds', unit: 'seconds', buckets: requestBuckets },
  inFlight: { series: 'vllm:num_requests_running' },
  queued: { series: 'vllm:num_requests_waiting' },
  tokens: {
    prompt: 'vllm:prompt_tokens_total',
    generated: 'vllm:generation_tokens_total',
    timeToFirst: {
      kind: 'histogram',
      series: 'vllm:time_to_first_token_seconds',
      unit: 'seconds',
      buckets: [
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
        2560,
      ],
    },
    between: {
      kind: 'histogram',
      series: 'vllm:inter_token_latency_seconds',
      unit: 'seconds',
      buckets: [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80],
      note: 'Called vllm:time_per_output_token_seconds before 0.11.',
    },
    cacheUsed: { series: 'vllm:kv_cache_usage_perc' },
  },
  absent: {
    version:
      'vLLM names the model it serves (model_name), not a version. The label engine tells data-parallel engines apart.',
    batch: 'vLLM batches tokens, not requests; vllm:iteration_tokens_total is a histogram of them.',
    gpu: "vLLM shows its cache (vllm:kv_cache_usage_perc), not the GPU. Load and memory come from NVIDIA's DCGM exporter.",
  },
  cautions: [
    'vllm:request_success_total counts finished requests, failed ones too (finished_reason); one refused before the engine took it (bad JSON, too long) is only in http_requests_total.',
    'http_requests_total has the status as 2xx, 4xx, 5xx and counts every route; select handler="/v1/chat/completions" for one.',
  ],
} as const satisfies ServingProfile;
