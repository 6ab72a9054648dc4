import { GuardrailTally } from '../../core/evaluation/index.ts';
import type { Guardrail } from '../../core/policy/index.ts';
import type { Place } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import type { AnsweredCase } from './golden-answers.ts';
import { checkOf } from './smoke-check.ts';

/** The outputs a server gives, and what the policy calls their elements. */
export interface HeldOutputs {
  readonly outputs: readonly string[];
  readonly classes?: readonly (string | number)[] | undefined;
}

/** Holds every served value of an output to its guardrail, one check for each bound. An output that nobody knows is an `error`. */
export function guardrailChecks(
  guardrail: Guardrail,
  answered: readonly AnsweredCase[],
  held: HeldOutputs,
  placeOf: (key: string) => Place,
): readonly Check[] {
  const tally = new GuardrailTally(guardrail, { ...held, row: 'answer', value: 'served value' });
  for (const { row, served } of answered) {
    const tensor = served[guardrail.output];
    const rows = tensor?.dims[0] ?? 1;
    tally.take(tensor, rows, rows, () => row);
  }
  const { severity, reason } = guardrail;
  return tally.findings().map((found) => {
    const { id, key, title, bound, status, said, observed, failing } = found;
    const demand = { id: `guardrail/${id}`, title, bound, place: placeOf(key), severity, reason };
    // Answers that lack the output are the server's fault; no answer at all is told elsewhere.
    const lacking = status === 'skipped' && answered.length > 0;
    return checkOf(demand, {
      status: lacking ? 'error' : status,
      said: status !== 'skipped' ? said : [lacking ? 'No answer holds this output' : 'No golden input was answered'],
      ...(observed === undefined ? {} : { observed }),
      ...(failing === undefined ? {} : { failing }),
    });
  });
}
