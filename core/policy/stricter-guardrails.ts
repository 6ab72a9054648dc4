import { policyDefaults } from './defaults.ts';
import type { Guardrail } from './guardrail-schema.ts';
import { baseElseHead, baseWins, fields, larger, type Merge, oneSided, smaller } from './merge.ts';
import { pairUp } from './pair-up.ts';
import { reason, severity } from './stricter-data.ts';

type Values = NonNullable<Guardrail['values']>;

/** Fewer values are stricter; a list that allows others waits for the merge. */
const fewerValues: Merge<Values> = (base, head, at) => {
  const narrower = base !== undefined && head?.every((value) => base.includes(value)) === true;
  if (!narrower || head.length >= base.length) return baseElseHead<Values>()(base, head, at);
  at.differs(base, head, 'head');
  return head;
};

const guardrail = fields<Guardrail>({
  output: baseWins(),
  element: baseWins(),
  min: larger(),
  max: smaller(),
  values: fewerValues,
  finite: baseElseHead(),
  mostly: larger(policyDefaults.mostly),
  severity,
  reason,
});

/** By output and element. What the head leaves out stays, what it adds is added, and of each bound the stricter one counts. */
export const mergeGuardrails: Merge<Guardrail[]> = (base, head, at) => {
  if (base === undefined || head === undefined) return oneSided(base, head, at);
  const identity = ({ output, element }: Guardrail) => JSON.stringify([output, element]);
  return pairUp(base, head, identity).flatMap((pair, effective) => {
    const [ofBase, ofHead] = [pair.base?.value, pair.head?.value];
    const { output = '', element } = ofBase ?? ofHead ?? {};
    const suffix = `[${element === undefined ? output : `${output}.${element}`}]`;
    const spot = at.entry({ suffix, effective, base: pair.base?.index, head: pair.head?.index });
    const merged = guardrail(ofBase, ofHead, spot);
    return merged === undefined ? [] : [merged];
  });
};
