import type { ServingProfile } from '../serving-profile.ts';

/** From 0.15 ms to 146 s, each half as much again; computed as the server does, so that the last digit is the same. */
const durations: readonly number[] = Array.from({ length: 35 }).reduce<readonly number[]>(
  (bounds) => [...bounds, (bounds.at(-1) ?? 0.0001) * 1.5],
  [],
);

/** Hugging Face's Text Generation Inference. In maintenance mode. */
export const tgiProfile = {
  name: 'tgi',
  title: 'Text Generation Inference',
  version: '3.3.7 (read, not run)',
  sources: [
    'https://github.com/huggingface/text-generation-inference/blob/dfb3fbe78e0d1d69251bd33065591c61bafdfaa8/router/src/server.rs',
    'https://github.com/huggingface/text-generation-inference/blob/dfb3fbe78e0d1d69251bd33065591c61bafdfaa8/router/src/infer/mod.rs',
    'https://github.com/huggingface/text-generation-inference/blob/dfb3fbe78e0d1d69251bd33065591c61bafdfaa8/router/src/validation.rs',
    'https://github.com/huggingface/text-generation-inference/blob/dfb3fbe78e0d1d69251bd33065591c61bafdfaa8/backends/v3/src/backend.rs',
    'https://github.com/huggingface/text-generation-inference/blob/dfb3fbe78e0d1d69251bd33065591c61bafdfaa8/backends/v3/src/queue.rs',
  ],
  labels: {},
  requests: [{ series: 'tgi_request_success' }, { series: 'tgi_request_failure' }],
  outcomes: [
    { series: 'tgi_request_success', outcome: 'success' },
    {
      series: 'tgi_request_failure',
      outcome: {
        label: 'err',
        values: {
          // `dropped`: the client was gone before its answer.
          client: ['validation', 'template', 'dropped'],
          server: ['overloaded', 'generation', 'incomplete'],
        },
        otherwise: 'unclear',
      },
    },
  ],
  latency: [
    {
      kind: 'histogram',
      series: 'tgi_request_duration',
      unit: 'seconds',
      buckets: durations,
      note: 'To the last token, of successful requests only: it grows with the length of answers.',
    },
  ],
  queue: { kind: 'histogram', series: 'tgi_request_queue_duration', unit: 'seconds', buckets: durations },
  batch: {
    kind: 'histogram',
    series: 'tgi_batch_next_size',
    unit: 'rows',
    note: 'Requests that were taken out of the queue together; they join those that already run.',
  },
  inFlight: { series: 'tgi_batch_current_size' },
  queued: { series: 'tgi_queue_size' },
  tokens: {
    prompt: 'tgi_request_input_length_sum',
    generated: 'tgi_request_generated_tokens_sum',
    between: {
      kind: 'histogram',
      series: 'tgi_request_mean_time_per_token_duration',
      unit: 'seconds',
      buckets: durations,
      note: "The mean of each request, not each token's.",
    },
  },
  absent: {
    version: 'TGI serves one model and names neither it nor its version: tell versions apart by pod.',
    gpu: "TGI does not show the GPU. Load and memory come from NVIDIA's DCGM exporter.",
  },
  cautions: [
    'tgi_request_count counts requests as they come, tokenizations too; the sum of successes and failures is what was asked of the model.',
    'Of answers that stream, one that breaks off is counted as a failure, and as dropped where the client went.',
    'Time to the first token is not shown.',
    'TGI is in maintenance mode: it gets small fixes only.',
  ],
} as const satisfies ServingProfile;
