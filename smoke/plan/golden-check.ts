import type { Tensor, TensorSpec } from '../../core/onnx/index.ts';
import type { Place } from '../../core/problem/index.ts';
import type { Check, FailingRows } from '../../core/report/index.ts';
import { counted, excerpt, numberText } from '../../core/text/index.ts';
import { compareTensors, isFloating, type Mismatch, type Tolerance } from './closeness.ts';
import type { AnsweredCase } from './golden-answers.ts';
import { checkOf } from './smoke-check.ts';

const shownRows = 20;

/** One check for each output: what was served is what the ONNX file gives here. `outputs` are the file's that are compared, in its order. */
export function goldenChecks(
  outputs: readonly Pick<TensorSpec, 'name' | 'type'>[],
  answered: readonly AnsweredCase[],
  options: {
    readonly tolerance: Tolerance;
    readonly place: Place;
    readonly severity?: 'error' | 'warn' | undefined;
    readonly reason?: string | undefined;
  },
): readonly Check[] {
  return outputs.map((output) => goldenCheck(output, answered, options));
}

function goldenCheck(
  { name: output, type }: Pick<TensorSpec, 'name' | 'type'>,
  answered: readonly AnsweredCase[],
  { tolerance, ...of }: Parameters<typeof goldenChecks>[2],
): Check {
  const close = isFloating({ type });
  const demand = {
    ...of,
    id: `golden/${output}`,
    title: `${excerpt(output, 60)} as the ONNX file gives it here`,
    bound: {
      kind: 'must_hold',
      value: close ? `within ${tolerance.absolute} + ${tolerance.relative}·|value|` : 'equal',
    },
  } as const;
  if (answered.length === 0) return checkOf(demand, { status: 'skipped', said: ['No golden input was answered'] });

  const broken: { readonly row: number; readonly misfit?: string; readonly mismatches: readonly Mismatch[] }[] = [];
  let worst = 0;
  for (const { row, expected, served } of answered) {
    const here = expected[output];
    const there = Object.hasOwn(served, output) ? served[output] : undefined;
    if (here === undefined) continue;
    if (there === undefined) {
      broken.push({ row, misfit: 'is not in the answer', mismatches: [] });
      continue;
    }
    const compared = compareTensors(there, here, tolerance);
    worst = Math.max(worst, compared.worst);
    if (compared.misfit !== undefined) broken.push({ row, misfit: `differs: ${compared.misfit}`, mismatches: [] });
    else if (compared.mismatches.length > 0) broken.push({ row, mismatches: compared.mismatches });
  }
  const evidence = { estimate: worst, lower: worst, upper: worst, level: 1, method: 'exact', n: answered.length };
  if (broken.length === 0) {
    return checkOf(demand, {
      status: 'pass',
      said: [
        `${counted(answered.length, 'answer')} ${answered.length === 1 ? 'is' : 'are'} the file's; the largest difference is ${numberText(worst)}`,
      ],
      observed: worst,
      evidence,
    });
  }
  return checkOf(demand, {
    status: 'fail',
    said: [
      `${broken.length} of ${counted(answered.length, 'answer')} ${broken.length === 1 ? 'is' : 'are'} not the file's`,
      ...worstOf(output, broken, answered),
    ],
    observed: worst,
    evidence,
    failing: failingRows(broken),
  });
}

type Broken = { readonly row: number; readonly misfit?: string; readonly mismatches: readonly Mismatch[] };

function worstOf(output: string, broken: readonly Broken[], answered: readonly AnsweredCase[]): readonly string[] {
  const misfit = broken.find((each) => each.misfit !== undefined);
  if (misfit !== undefined) return [`Row ${misfit.row}: ${excerpt(output, 60)} ${misfit.misfit}`];
  let worst: { readonly row: number; readonly mismatch: Mismatch } | undefined;
  for (const { row, mismatches } of broken) {
    for (const mismatch of mismatches) {
      if (worst === undefined || sizeOf(mismatch) > sizeOf(worst.mismatch)) worst = { row, mismatch };
    }
  }
  if (worst === undefined) return [];
  const { row, mismatch } = worst;
  const shape = answered.find((each) => each.row === row)?.expected[output];
  const by = mismatch.difference === undefined ? '' : `, ${numberText(mismatch.difference)} apart`;
  return [
    `The worst is row ${row}${at(shape, mismatch.index)}: ${excerpt(mismatch.served, 40)} was served and ${excerpt(mismatch.expected, 40)} is right${by}`,
    'The server runs another model, other weights, or feeds it otherwise',
  ];
}

/** A mismatch without a difference (text, NaN) is as wrong as can be. */
function sizeOf({ difference }: Mismatch): number {
  return difference ?? Number.POSITIVE_INFINITY;
}

/** ` at [0, 2]`; nothing for a single value. */
function at(tensor: Tensor | undefined, index: number): string {
  if (tensor === undefined || tensor.data.length <= 1) return '';
  const position: number[] = [];
  let rest = index;
  for (const size of tensor.dims.toReversed()) {
    position.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return ` at [${position.join(', ')}]`;
}

function failingRows(broken: readonly Broken[]): FailingRows {
  return {
    total: broken.length,
    columns: ['position', 'served', 'expected', 'difference'],
    rows: broken.slice(0, shownRows).map(({ row, misfit, mismatches }) => {
      const worst = mismatches.reduce<Mismatch | undefined>(
        (most, each) => (most === undefined || sizeOf(each) > sizeOf(most) ? each : most),
        undefined,
      );
      return {
        row,
        values:
          worst === undefined
            ? [null, misfit ?? null, null, null]
            : [
                String(worst.index),
                worst.served,
                worst.expected,
                worst.difference === undefined ? null : numberText(worst.difference),
              ],
      };
    }),
  };
}
