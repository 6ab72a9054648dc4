import { type GuardrailFinding, GuardrailTally } from '../../core/evaluation/index.ts';
import type { Host } from '../../core/host/index.ts';
import type { Model, Outputs } from '../../core/onnx/index.ts';
import { isRunnable } from '../../core/onnx/index.ts';
import type { EffectivePolicy, Guardrail } from '../../core/policy/index.ts';
import type { Check } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { outputsOf, type WiredModel } from './model-run.ts';

/**
 * Runs the candidate on every evaluation row and holds its outputs to `gates.guardrails`, batch after batch: also outputs that no metric
 * reads. Judged on the rows as they are, without an interval: a guardrail is a promise of every row, or of `mostly` of them.
 */
export async function judgeGuardrails(
  policy: EffectivePolicy,
  candidate: WiredModel,
  rows: EvaluationRows,
  host: Host,
): Promise<{ readonly checks: readonly Check[] }> {
  const held = guardrailsOf(policy, candidate.model, 'row');
  if (held.names.length === 0) return { checks: held.checks() };
  const total = rows.table.rows;
  const progress = host.progress(`Hold ${excerpt(candidate.path, 60)} to its guardrails`);
  try {
    for await (const { from, count, given, outputs } of outputsOf(candidate, rows, held.names)) {
      held.take(outputs, { given, count, rowAt: (entry) => from + entry + 1 });
      progress.update(from + count, total);
    }
  } finally {
    progress.end();
  }
  return { checks: held.checks() };
}

/** The policy's guardrails, and what they have seen. */
export interface HeldGuardrails {
  /** The outputs to ask the model for; none where no guardrail names one that it has. */
  readonly names: readonly string[];
  take(outputs: Outputs, batch: Batch): void;
  /** `suffix` is put behind the ids: `[episodes]`. */
  checks(suffix?: string): readonly Check[];
}

interface Batch {
  /** Rows that the model was given. */
  readonly given: number;
  /** How many of them, from the first, count. */
  readonly count: number;
  /** The number of an entry's row, from 1. */
  readonly rowAt: (entry: number) => number;
}

/** `row` is what reports call a row: `row` of the evaluation, `step` of an episode. */
export function guardrailsOf(policy: EffectivePolicy, model: Pick<Model, 'outputs'>, row: string): HeldGuardrails {
  const outputs = model.outputs.filter(({ type }) => isRunnable(type)).map(({ name }) => name);
  const classes = policy.policy.model?.classes;
  const tallies = (policy.policy.gates?.guardrails ?? []).map(
    (guardrail) => new GuardrailTally(guardrail, { outputs, classes, row }),
  );
  return {
    names: [...new Set(tallies.map(({ guardrail }) => guardrail.output))].filter((name) => outputs.includes(name)),
    take: (batch, { given, count, rowAt }) => {
      for (const tally of tallies) tally.take(batch[tally.guardrail.output], given, count, rowAt);
    },
    checks: (suffix = '') =>
      tallies.flatMap((tally, index) =>
        tally.findings().map((finding) => checkOf(policy, tally.guardrail, index, finding, suffix)),
      ),
  };
}

function checkOf(
  policy: EffectivePolicy,
  { severity, reason }: Guardrail,
  index: number,
  { key, id, title, bound, status, said, observed, failing }: GuardrailFinding,
  suffix: string,
): Check {
  const told = status === 'pass' || reason === undefined ? said : [...said, `The bound's reason: ${reason}`];
  return {
    id: `gate/guardrail/${id}${suffix}`,
    title,
    section: 'gate',
    // Nothing seen is nothing known.
    status: status === 'skipped' ? 'error' : status === 'fail' && severity === 'warn' ? 'warn' : status,
    message: told.map((sentence) => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`)).join(' '),
    bound,
    unit: 'none',
    ...(observed === undefined ? {} : { observed }),
    ...(failing === undefined ? {} : { failing }),
    place: policy.placeOf(['gates', 'guardrails', index, key]),
  };
}
