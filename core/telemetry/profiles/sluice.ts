import { servingMetrics } from '../serving-metrics.ts';
import type { ServingProfile } from '../serving-profile.ts';

const { latency, predictions, queue, batchRows, inFlight, queued } = servingMetrics;

/** Our own model server. */
export const sluiceProfile = {
  name: 'sluice',
  title: 'Sluice',
  version: '0.1.0',
  sources: ['core/telemetry/serving-metrics.ts', 'server/metrics/version-meter.ts'],
  labels: { model: 'model_name', version: 'model_version' },
  requests: [{ series: predictions.name }],
  outcomes: [
    {
      series: predictions.name,
      outcome: {
        label: 'status',
        values: {
          success: ['ok'],
          client: ['invalid_input', 'unknown_model'],
          server: ['not_ready', 'queue_full', 'timeout', 'draining', 'error'],
        },
        otherwise: 'unclear',
      },
    },
  ],
  latency: [
    {
      kind: 'histogram',
      series: latency.name,
      unit: latency.unit,
      buckets: latency.buckets,
      note: 'Answered requests only.',
    },
  ],
  queue: { kind: 'histogram', series: queue.name, unit: queue.unit, buckets: queue.buckets },
  batch: {
    kind: 'histogram',
    series: batchRows.name,
    unit: batchRows.unit,
    buckets: batchRows.buckets,
    note: 'Seen from each request: large batches weigh more than if each batch counted once.',
  },
  inFlight: { series: inFlight.name },
  queued: { series: queued.name },
  absent: {
    tokens: 'The server runs ONNX models, which answer tensors.',
    gpu: "The server runs on the CPU. A GPU's load comes from NVIDIA's DCGM exporter.",
  },
  cautions: [
    'A request for a model nobody serves counts with an empty model_name: names that clients make up are no labels.',
  ],
} as const satisfies ServingProfile;
