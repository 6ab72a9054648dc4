import type { RateNoise } from './rate-noise.ts';

/** What traffic does to both arms. Times in seconds since the canary's first request. */
export interface TrafficShape {
  readonly name: string;
  readonly says: string;
  /** Whether rolling back is wrong. */
  readonly healthy: boolean;
  /** Of both arms. */
  readonly requestsPerSecond: number;
  /** Share of requests that fail at the baseline; times the arm's noise. */
  readonly baselineErrors: (seconds: number) => number;
  readonly canaryErrors: (seconds: number) => number;
  readonly noise: RateNoise;
  /** Log-normal latencies; the canary's are so many times as long. */
  readonly latency?: {
    readonly medianMs: number;
    /** Of the logarithm. */
    readonly spread: number;
    readonly canaryFactor: (seconds: number) => number;
  };
  readonly pods: { readonly canary: number; readonly baseline: number };
  /** Each pod begins again from zero so often, on average. */
  readonly restartEverySeconds?: number;
  /** The chance, at each look, that a series is not there; it comes back with all it counted. */
  readonly missing?: number;
  /** The chance, at each look, that a series tells the counts of the look before. */
  readonly late?: number;
  /** The canary's requests do not arrive. */
  readonly noCanaryTraffic?: boolean;
}

const base = {
  requestsPerSecond: 100,
  baselineErrors: () => 0.01,
  canaryErrors: () => 0.01,
  noise: { kind: 'none' },
  pods: { canary: 2, baseline: 4 },
  healthy: true,
} as const satisfies Partial<TrafficShape>;

const faulty = (name: string, rate: number): TrafficShape => ({
  ...base,
  name,
  says: `1 % of requests fail; of the canary's ${rate * 100} %`,
  healthy: false,
  canaryErrors: () => rate,
});

/** 5 % of the baseline's requests take more than 100 ms. */
const latency = { medianMs: 100 * Math.exp(-1.6449 * 0.5), spread: 0.5 };

/** The shapes that `sluice canary simulate` knows: 100 requests a second, of which 1 % fail, unless said otherwise. */
export const trafficShapes: readonly TrafficShape[] = [
  { ...base, name: 'healthy', says: '1 % of requests fail, whoever answers' },
  faulty('errors-1.5', 0.015),
  faulty('errors-2', 0.02),
  faulty('errors-5', 0.05),
  {
    ...base,
    name: 'latency-healthy',
    says: '5 % of requests take more than 100 ms, whoever answers',
    latency: { ...latency, canaryFactor: () => 1 },
  },
  {
    ...base,
    name: 'latency-20',
    says: 'the canary takes a fifth longer: p95 of 120 instead of 100 ms',
    healthy: false,
    latency: { ...latency, canaryFactor: () => 1.2 },
  },
  {
    ...base,
    name: 'slow-ramp',
    says: "the canary's errors grow from 1 to 4 % within half an hour",
    healthy: false,
    canaryErrors: (seconds) => 0.01 + 0.03 * Math.min(1, seconds / 1800),
  },
  {
    ...base,
    name: 'burst',
    says: "10 % of the canary's requests fail for one minute, ten minutes after the first",
    healthy: false,
    canaryErrors: (seconds) => (seconds >= 600 && seconds < 660 ? 0.1 : 0.01),
  },
  {
    ...base,
    name: 'incident',
    says: '10 % of all requests fail for two minutes, whoever answers',
    baselineErrors: (seconds) => (seconds >= 600 && seconds < 720 ? 0.1 : 0.01),
    canaryErrors: (seconds) => (seconds >= 600 && seconds < 720 ? 0.1 : 0.01),
  },
  { ...base, name: 'low-traffic', says: 'one request a second', requestsPerSecond: 1 },
  {
    ...faulty('low-traffic-errors-5', 0.05),
    says: "one request a second; of the canary's 5 % fail",
    requestsPerSecond: 1,
  },
  {
    ...base,
    name: 'over-dispersed',
    says: 'healthy, but errors come in clusters: gamma noise of variance 0.5 on the rate',
    noise: { kind: 'gamma', variance: 0.5 },
  },
  {
    ...base,
    name: 'autocorrelated',
    says: 'healthy, but errors come in waves: noise of variance 0.5, correlation 0.8 from look to look',
    noise: { kind: 'autoregressive', variance: 0.5, correlation: 0.8 },
  },
  {
    ...faulty('over-dispersed-errors-2', 0.02),
    says: "errors in clusters (gamma noise of variance 0.5); 1 %, of the canary's requests 2 %",
    noise: { kind: 'gamma', variance: 0.5 },
  },
  {
    ...base,
    name: 'cold-start',
    says: "healthy after 45 seconds, in which a fifth of the canary's requests fail",
    canaryErrors: (seconds) => (seconds < 45 ? 0.2 : 0.01),
  },
  { ...base, name: 'counter-reset', says: 'healthy; each pod restarts every two minutes', restartEverySeconds: 120 },
  {
    ...base,
    name: 'missing-series',
    says: 'healthy; a fifth of the series is missing or late at each look',
    missing: 0.1,
    late: 0.1,
  },
  { ...base, name: 'no-traffic', says: 'the canary gets no requests', noCanaryTraffic: true },
];
