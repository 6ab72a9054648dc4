import type { MetricEvidence } from '../analysis-verdict.ts';
import type { ArmWindow } from './arm-window.ts';
import type { PairedWindow } from './paired-window.ts';

/** What a metric's evidence is held to at one look. */
export interface Demands {
  /** Natural logarithm of 1 / the metric's share of the chance of a false rollback. */
  readonly threshold: number;
  readonly falsePass: number;
  readonly power: number;
  /** How many times the size to detect this stage has to exclude (`severityAt`). */
  readonly severity: number;
}

/** One thing that is compared between the arms. `State` is plain JSON; all functions are pure. */
export interface Metric<State> {
  readonly name: string;
  /** Its part of the chance of a false rollback; 0: shown only. */
  readonly share: number;
  start(): State;
  /** What the baseline did, of itself; `early`: before any evidence is gathered. */
  learn(state: State, baseline: ArmWindow, early: boolean): State;
  update(state: State, window: PairedWindow): State;
  evidence(state: State, demands: Demands): MetricEvidence;
}

/** `0.93 %`, with as many digits as it takes to tell small shares apart. */
export function percentText(share: number): string {
  const percent = share * 100;
  const digits = percent === 0 || percent >= 10 ? 1 : percent >= 1 ? 2 : percent >= 0.1 ? 3 : 4;
  return `${Number(percent.toFixed(digits))} %`;
}

/** A number of people's size: three significant digits. */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(3)));
}
