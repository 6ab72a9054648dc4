import type { AnalysisVerdict, MetricEvidence } from './analysis-verdict.ts';
import type { Reading } from './metrics-source.ts';

/** What traffic the canary has while somebody looks. */
export interface LookStage {
  readonly kind: 'shadow' | 'header' | 'step';
  /** Counts from 0 over the whole rollout. */
  readonly index: number;
  /** Whole percent. */
  readonly weight: number;
  /** Since when, milliseconds of the epoch by the rollout's clock. */
  readonly since: number;
}

/** One look at both arms: all that an analysis may know, so that it can be replayed. */
export interface Look {
  /** Counts from 1 over the whole rollout, over all runs that went on with it. */
  readonly number: number;
  /** Milliseconds of the epoch by the rollout's clock, which never goes back. */
  readonly at: number;
  readonly stage: LookStage;
  /** The canary has had traffic for too short a time to be judged: counts are a starting point, no evidence. */
  readonly warmUp: boolean;
  /** Absent: the source could not be asked. That is no data, never "zero errors". */
  readonly reading?: Reading;
}

/** What an analysis makes of one look and all before it. */
export interface Analysed {
  readonly verdict: AnalysisVerdict;
  readonly metrics: readonly MetricEvidence[];
  /** Requests that were counted as evidence since the rollout began. */
  readonly requests: { readonly canary: number; readonly baseline: number };
  /** What a next run needs to go on with the evidence: JSON, at most a few KiB, since it is kept beside the traffic. */
  readonly state: unknown;
  /** What was odd. Printable. */
  readonly remarks: readonly string[];
}

/** Judges look after look. Deterministic: the same looks give the same verdicts, whatever the clock says. */
export interface Analyst {
  look(look: Look): Analysed;
}

/** Goes on from the `state` of the last look; `undefined`: nothing was seen yet. */
export type OpenAnalyst = (state: unknown) => Analyst;
