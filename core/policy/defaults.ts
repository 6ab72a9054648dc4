/** What a policy means where it is silent. The one home of these numbers: the schema's hover texts and the readers quote them. */
export const policyDefaults = {
  /** One-sided; research: two-sided 95 % lets most real losses through on a few hundred rows, point comparison blocks 1 good change in 4. */
  evidence: 0.9,
  on_inconclusive: 'warn',
  baseline: 'base',
  severity: 'error',
  mostly: 1,
  /** Below it a slice or group is listed as skipped. */
  min_rows: 30,
  batch_size: 1,
  extra: 'allow',
  latency: { time_budget: '60s' },
  signature: { breaking: 'forbid' },
  engines: {
    user: 'sluice',
    within: '30m',
  },
  order: 'any',
  strict: false,
  skew: { measure: 'psi' },
  smoke: {
    deadline: '2m',
    timeout: '30s',
    rows: 32,
    /** float32 holds about seven digits; kernels of two machines differ in the last one or two. */
    absolute: 1e-5,
    relative: 1e-4,
    warm_up: 20,
    max_error_share: 0,
    mode: 'closed',
    concurrency: 4,
    duration: '10s',
    temperature: 0,
    /** The fewest that a median is claimed from (`minimumSamples`). */
    samples: 11,
  },
  drift: {
    psi: { warn: 0.1, fail: 0.2 },
    bins: 10,
    min_rows: 30,
  },
  canary: {
    look_every: '5s',
    warm_up: '1m',
    min_step: '2m',
    deadline: '6h',
    ready_deadline: '5m',
    lease: '15m',
    resume_within: '1h',
    approval: 'none',
    approval_label: 'canary-approved',
    header_min_requests: 20,
    start_weight: 1,
    max_weight: 50,
    growth: 2,
    hosts: { file: 'model.onnx', command_within: '5m', health_within: '5m' },
  },
} as const;
