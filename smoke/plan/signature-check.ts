import { describeTensor, isRunnable, type TensorSpec } from '../../core/onnx/index.ts';
import type { Place } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { excerpt, nearestName } from '../../core/text/index.ts';
import type { ServedModel, Specs } from '../protocol.ts';
import { servedShape } from './served-shape.ts';
import { checkOf, type Outcome } from './smoke-check.ts';

/**
 * Holds what the server says it takes and gives against the ONNX file, one check for each input and output. Sizes that either side leaves
 * open fit any size. Types that no serving protocol has (sequences, maps) are skipped, and so is everything the server does not tell.
 */
export function signatureChecks(served: ServedModel | undefined, file: Specs, place: Place): readonly Check[] {
  return (['inputs', 'outputs'] as const).flatMap((side) => checksOfSide(side, served, file, place));
}

function checksOfSide(
  side: 'inputs' | 'outputs',
  served: ServedModel | undefined,
  file: Specs,
  place: Place,
): readonly Check[] {
  const told = served?.[side];
  const noun = side === 'inputs' ? 'input' : 'output';
  const check = (name: string, bound: string, outcome: Outcome): Check => {
    // ONNX lets a graph hand an input through under its own name.
    const twice = side === 'outputs' && file.inputs.some((input) => input.name === name);
    return checkOf(
      {
        id: `signature/${name}${twice ? ' (output)' : ''}`,
        title: `${noun} ${excerpt(name)} as in the ONNX file`,
        place,
        bound: { kind: 'must_hold', value: bound },
      },
      outcome,
    );
  };
  if (told === undefined) {
    return file[side].map((spec) =>
      check(spec.name, describe(spec), {
        status: 'skipped',
        said: [`The server does not tell its ${side}`],
      }),
    );
  }
  const names = told.map(({ name }) => name);
  const extra = told.filter(({ name }) => !file[side].some((spec) => spec.name === name));
  return [
    ...file[side].map((spec) => {
      const found = told.find(({ name }) => name === spec.name);
      return check(spec.name, describe(spec), outcomeOf(noun, spec, found, names));
    }),
    ...extra.map((spec) =>
      check(spec.name, 'not there', {
        status: 'fail',
        said: [
          `The server has the ${noun} "${excerpt(spec.name)}" (${describe(spec)}), and the ONNX file has none of that name: another model is served`,
        ],
        observed: describe(spec),
      }),
    ),
  ];
}

function outcomeOf(noun: string, spec: TensorSpec, found: TensorSpec | undefined, names: readonly string[]): Outcome {
  if (found === undefined) {
    const near = nearestName(spec.name, names);
    return {
      status: 'fail',
      said: [
        `The server has no ${noun} "${excerpt(spec.name)}"${near === undefined ? '' : `; "${excerpt(near)}" may be meant`}`,
        'Another model is served, or it was converted',
      ],
      observed: names.length === 0 ? 'none' : excerpt(names.join(', ')),
    };
  }
  const observed = describe(found);
  if (!isRunnable(spec.type)) {
    return { status: 'skipped', said: [`No serving protocol can tell a ${excerpt(spec.type, 60)}`], observed };
  }
  if (spec.type !== found.type) {
    return { status: 'fail', said: [`The server says ${found.type}, the ONNX file ${spec.type}`], observed };
  }
  if (!shapesFit(spec, found)) {
    return { status: 'fail', said: [`The server says ${observed}, the ONNX file ${describe(spec)}`], observed };
  }
  return { status: 'pass', said: ["Type and shape are the file's"], observed };
}

function shapesFit(file: TensorSpec, served: TensorSpec): boolean {
  if (file.unranked === true || served.unranked === true) return true;
  const wanted = servedShape(file.shape, served.shape);
  return (
    wanted.length === served.shape.length &&
    wanted.every((size, index) => {
      const its = served.shape[index];
      return isFree(size) || isFree(its) || size === its;
    })
  );
}

/** A name, `?` or, as protocols write it, a negative number. */
function isFree(size: number | string | undefined): boolean {
  return typeof size !== 'number' || size < 0;
}

function describe({ type, shape, unranked }: TensorSpec): string {
  return excerpt(describeTensor(type, shape, unranked), 120);
}
