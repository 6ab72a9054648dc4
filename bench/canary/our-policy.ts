import { type ArmCounts, randomOf, type WindowCounts } from '../../core/statistics/index.ts';
import { analysisSettings, openAnalysis, type Reading } from '../../rollout/index.ts';
import { historyOf, type Traffic } from './traffic.ts';

interface Totals {
  readonly canary: ArmCounts;
  readonly baseline: ArmCounts;
}

/** Windows of the baseline from before the rollout: an hour, by default. */
export const historyWindows = 720;

/**
 * The look at which the analysis of `rollout/`, by its defaults, rolls back, counting from 1; `undefined`: not in these windows. It is given
 * readings, as of a metrics source, of one series an arm.
 */
export function ourRollback(
  traffic: Traffic,
  seed: string,
  windows: Iterable<WindowCounts>,
  mostLooks: number,
  history: number = historyWindows,
): number | undefined {
  const analyst = openAnalysis(analysisSettings())(undefined);
  const start = 1_700_000_000_000;
  const milliseconds = traffic.secondsALook * 1000;
  const empty: ArmCounts = { requests: 0, errors: 0 };
  let totals: Totals = { canary: empty, baseline: empty };
  let number = 0;
  const look = (weight: number, warmUp: boolean) => {
    const at = start + number * milliseconds;
    const reading: Reading = {
      canary: weight === 0 ? [] : [{ id: 'canary', ...totals.canary, at }],
      baseline: [{ id: 'baseline', ...totals.baseline, at }],
      remarks: [],
    };
    number++;
    return analyst.look({ number, at, stage: { kind: 'step', index: 0, weight, since: start }, warmUp, reading });
  };
  for (const window of historyOf(traffic, randomOf(`${seed} history`), history)) {
    totals = { ...totals, baseline: sum(totals.baseline, window) };
    look(0, true);
  }
  look(1, true);
  let looks = 0;
  for (const window of windows) {
    looks++;
    totals = { canary: sum(totals.canary, window.canary), baseline: sum(totals.baseline, window.baseline) };
    if (look(100 * traffic.weightAt(looks - 1), false).verdict === 'rollback') return looks;
    if (looks >= mostLooks) return undefined;
  }
  return undefined;
}

function sum(one: ArmCounts, other: ArmCounts): ArmCounts {
  return { requests: one.requests + other.requests, errors: one.errors + other.errors };
}
