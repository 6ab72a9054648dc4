import type { Host } from '../../core/host/index.ts';
import type { EffectivePolicy } from '../../core/policy/index.ts';
import type { Check, Figure, Notice } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { subjectOf } from './candidate-and-baseline.ts';
import { classChecks } from './class-gate.ts';
import { judgeCustomMetrics, openCustomMetrics } from './custom-metric-gate.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { fairnessChecks } from './fairness-gate.ts';
import { figuresOf } from './figures.ts';
import { metricChecks } from './metric-gate.ts';
import type { RowPredictor } from './row-predictor.ts';
import { sliceChecks } from './slice-gate.ts';
import { type DeclaredSlice, slicesOf } from './slices/declared-slices.ts';
import type { NoBaseline, Subject } from './subject.ts';

/** Everything that is demanded of what is said of rows: metrics, classes, metrics of the policy's own, slices, fairness. */
export interface RowGates extends AsyncDisposable {
  readonly slices: readonly DeclaredSlice[];
  /** Whoever says it: a model run here, a file of predictions, a server. */
  judge(
    candidate: RowPredictor,
    baseline: RowPredictor | undefined,
    noBaseline: NoBaseline,
  ): Promise<{
    readonly subject: Subject;
    readonly checks: readonly Check[];
    readonly figures: readonly Figure[];
    readonly notices: readonly Notice[];
    /** As it stands once both have spoken. */
    readonly noBaseline: NoBaseline;
  }>;
}

/** Reads what the policy asks of the rows. Throws where it does not fit them, before anything has been run. */
export async function openRowGates(policy: EffectivePolicy, rows: EvaluationRows, host: Host): Promise<RowGates> {
  const custom = await openCustomMetrics(policy, rows, host);
  try {
    const slices = await slicesOf({ policy }, rows);
    return {
      slices,
      async judge(candidate, baseline, absent) {
        host.info(
          `Run the models on ${rows.table.rows.toLocaleString('en-US')} rows of ${excerpt(rows.policy.source)}`,
        );
        const { subject, notices } = await subjectOf(policy, rows, candidate, baseline, absent, host);
        const own = custom === undefined ? { checks: [], measured: [] } : await judgeCustomMetrics(custom, subject);
        const parts = [
          { checks: metricChecks(subject), figures: figuresOf(subject), notices },
          { checks: classChecks(subject) },
          own,
          sliceChecks(subject, rows, slices, own.measured),
          await fairnessChecks(subject, rows),
        ] as readonly Part[];
        return {
          subject,
          checks: parts.flatMap((part) => part.checks),
          figures: parts.flatMap((part) => part.figures ?? []),
          notices: parts.flatMap((part) => part.notices ?? []),
          noBaseline: subject.noBaseline,
        };
      },
      [Symbol.asyncDispose]: async () => custom?.[Symbol.asyncDispose](),
    };
  } catch (error) {
    await custom?.[Symbol.asyncDispose]();
    throw error;
  }
}

interface Part {
  readonly checks: readonly Check[];
  readonly figures?: readonly Figure[];
  readonly notices?: readonly Notice[];
}
