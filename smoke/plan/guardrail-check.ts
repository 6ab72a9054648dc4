import type { SmokePolicy } from '../../core/policy/index.ts';
import type { Place } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { counted, excerpt, nearestName } from '../../core/text/index.ts';
import type { AnsweredCase } from './golden-answers.ts';
import { numberText } from './number-text.ts';
import { checkOf } from './smoke-check.ts';

export type Guardrail = NonNullable<SmokePolicy['guardrails']>[number];

/** Holds every served value of an output to its guardrail, one check for each bound. An output that nobody knows is an `error`. */
export function guardrailChecks(
  guardrail: Guardrail,
  answered: readonly AnsweredCase[],
  outputs: readonly string[],
  placeOf: (key: string) => Place,
): readonly Check[] {
  const { output, severity, reason } = guardrail;
  const head = (kind: 'min' | 'max' | 'finite', title: string) => ({
    id: `guardrail/${output}/${kind}`,
    title: `${excerpt(output, 60)} ${title}`,
    place: placeOf(kind),
    severity,
    reason,
  });
  const demands = [
    ...(guardrail.min === undefined
      ? []
      : [{ ...head('min', `≥ ${guardrail.min}`), bound: { kind: 'min', value: guardrail.min } as const }]),
    ...(guardrail.max === undefined
      ? []
      : [{ ...head('max', `≤ ${guardrail.max}`), bound: { kind: 'max', value: guardrail.max } as const }]),
    ...(guardrail.finite === undefined
      ? []
      : [{ ...head('finite', 'is finite'), bound: { kind: 'must_hold', value: 'no NaN, no infinity' } as const }]),
  ];
  return demands.map((demand) => {
    if (!outputs.includes(output)) {
      const near = nearestName(output, outputs);
      return checkOf(demand, {
        status: 'error',
        said: [
          `The model has no output "${excerpt(output)}" whose values could be held; it has ${outputs.map((name) => excerpt(name, 40)).join(', ')}`,
          ...(near === undefined ? [] : [`Did you mean "${excerpt(near)}"?`]),
        ],
      });
    }
    if (answered.length === 0) return checkOf(demand, { status: 'skipped', said: ['No golden input was answered'] });
    return judge(demand, output, answered);
  });
}

function judge(
  demand: Parameters<typeof checkOf>[0] & { readonly bound: NonNullable<Check['bound']> },
  output: string,
  answered: readonly AnsweredCase[],
): Check {
  const { kind, value } = demand.bound;
  const holds = (number: number) => {
    if (kind === 'min') return number >= Number(value);
    if (kind === 'max') return number <= Number(value);
    return Number.isFinite(number);
  };
  const broken: { readonly row: number; readonly value: number }[] = [];
  let [least, most, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const { row, served } of answered) {
    const tensor = served[output];
    if (tensor === undefined) continue;
    if (tensor.type === 'string') {
      return checkOf(demand, {
        status: 'error',
        said: [`The output is text, which has no ${kind === 'must_hold' ? 'infinity' : 'order'}`],
      });
    }
    let bad: number | undefined;
    for (const element of tensor.data) {
      const number = Number(element);
      count++;
      if (number < least) least = number;
      if (number > most) most = number;
      if (!holds(number)) bad ??= number;
    }
    if (bad !== undefined) broken.push({ row, value: bad });
  }
  if (count === 0) return checkOf(demand, { status: 'error', said: ['No answer holds this output'] });
  const range = `The ${counted(count, 'served value')} lie between ${numberText(least)} and ${numberText(most)}`;
  const extreme = kind === 'min' ? least : kind === 'max' ? most : undefined;
  const [first] = broken;
  return checkOf(demand, {
    status: first === undefined ? 'pass' : 'fail',
    said:
      first === undefined
        ? [range]
        : [
            `${counted(broken.length, 'answer')} of ${answered.length} break it; the first is row ${first.row} with ${numberText(first.value)}`,
            ...(Number.isFinite(least) ? [range] : []),
          ],
    ...(extreme === undefined || !Number.isFinite(extreme) ? {} : { observed: extreme }),
    ...(first === undefined
      ? {}
      : {
          failing: {
            total: broken.length,
            columns: [output],
            rows: broken.slice(0, 20).map(({ row, value: bad }) => ({ row, values: [String(bad)] })),
          },
        }),
  });
}
