import type { ServingProfile } from '../serving-profile.ts';

/** prometheus_client's default buckets. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

/** KServe's Python model server: its scikit-learn, XGBoost, LightGBM, PMML and custom runtimes. Its Triton runtime is `triton`. */
export const kserveProfile = {
  name: 'kserve',
  title: 'KServe',
  version: '0.21.0 (run)',
  sources: [
    'kserve 0.21.0 (PyPI): kserve/metrics.py, kserve/model.py',
    'prometheus-client 0.26.0 (PyPI): prometheus_client/metrics.py (the default buckets)',
  ],
  labels: { model: 'model_name' },
  requests: [{ series: 'request_predict_seconds_count' }],
  latency: [
    {
      kind: 'histogram',
      series: 'request_predict_seconds',
      unit: 'seconds',
      buckets,
      note: "The model's predict alone, failed ones too; decoding, pre- and post-processing come on top.",
    },
  ],
  absent: {
    version: 'The server knows one version of a model: tell versions apart by pod.',
    outcomes:
      'The server does not count errors. Take them from the mesh (istio_requests_total) or, in Knative mode, from the queue proxy.',
    queue: 'The server has no queue of its own; in Knative mode requests wait in the queue proxy.',
    batch: 'Batching is done by the agent beside the server, which does not show it.',
    inFlight: 'The server does not count requests that run.',
    queued: 'The server has no queue of its own.',
    tokens: 'Only the Hugging Face runtime has tokens: it runs vLLM, see that profile.',
    gpu: "The server does not show its GPU. Load and memory come from NVIDIA's DCGM exporter.",
  },
  cautions: [
    'A request for a model that is not there, or with a body that is no JSON, is counted nowhere.',
    'A failed prediction counts in request_predict_seconds like any other.',
  ],
} as const satisfies ServingProfile;
