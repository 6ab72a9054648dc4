import type { AnalysisVerdict, MetricEvidence } from '../analysis-verdict.ts';
import type { Analyst, LookStage } from '../analyst.ts';
import type { RecordedLook, RecordedRun } from './look-file.ts';
import { openAnalysis } from './open-analysis.ts';

/** One look decided once more. */
export interface ReplayedLook {
  readonly number: number;
  readonly at: number;
  readonly stage: LookStage;
  readonly recorded: AnalysisVerdict;
  readonly verdict: AnalysisVerdict;
  readonly metrics: readonly MetricEvidence[];
  /** In words; empty: the decision is the same, from the same evidence. */
  readonly differences: readonly string[];
}

/** Logarithms of evidence are the same on all machines but for the last bits of `Math.log`. */
const closeness = 1e-6;

/** Decides every look again from its recorded reading. Runs that went on start from the evidence they were left with. */
export function replay(entries: readonly (RecordedRun | RecordedLook)[]): readonly ReplayedLook[] {
  let analyst: Analyst | undefined;
  return entries.flatMap((entry): readonly ReplayedLook[] => {
    if (entry.kind === 'run') {
      analyst = openAnalysis(entry.settings)(entry.state);
      return [];
    }
    if (analyst === undefined) return [];
    const { look, verdict: recorded, metrics: before } = entry;
    const { verdict, metrics } = analyst.look(look);
    const known = new Map(before.map((evidence) => [evidence.metric, evidence]));
    const differences = [
      ...(verdict === recorded ? [] : [`the verdict was ${recorded}, and is ${verdict}`]),
      ...metrics.flatMap(({ metric, says, logEvidence }): readonly string[] => {
        const was = known.get(metric);
        if (was === undefined) return [`${metric} was not there`];
        if (was.says !== says) return [`${metric} was ${was.says}, and is ${says}`];
        const far = Math.abs(was.logEvidence - logEvidence) > closeness * Math.max(1, Math.abs(logEvidence));
        return far ? [`the evidence of ${metric} was ${was.logEvidence}, and is ${logEvidence}`] : [];
      }),
      ...before
        .filter(({ metric }) => !metrics.some((other) => other.metric === metric))
        .map(({ metric }) => `${metric} is gone`),
    ];
    return [{ number: look.number, at: look.at, stage: look.stage, recorded, verdict, metrics, differences }];
  });
}
