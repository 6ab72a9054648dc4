import { describeTensor, type TensorSpec } from './tensor.ts';

export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** One difference between what two models take and give. */
export interface SignatureChange {
  readonly side: 'input' | 'output';
  readonly name: string;
  /** Whether a caller of the older model can notice it. */
  readonly breaking: boolean;
  /** What happened, as the end of a sentence that begins with the name: `is gone`, `is float64 [?, 4] instead of float32 [?, 4]`. */
  readonly what: string;
}

/**
 * What became of a model's inputs and outputs. A change is **breaking** where a caller that was right before is wrong now:
 *
 * - an input is gone, renamed or new (a renamed one is a gone and a new one); an output is gone or renamed;
 * - an element type or a number of dimensions is another;
 * - a size is another, or an input now fixes one that was free; an output no longer fixes one, except the first, which follows the batch;
 * - an output stands in another place: many callers read outputs by place (`session.run(None, ...)[0]`).
 *
 * What only widens is none: an input that leaves a size open, an output that is new, behind the others, other names of free sizes.
 */
export function signatureChanges(before: Signature, after: Signature): readonly SignatureChange[] {
  return [...inputChanges(before.inputs, after.inputs), ...outputChanges(before.outputs, after.outputs)];
}

function inputChanges(before: readonly TensorSpec[], after: readonly TensorSpec[]): readonly SignatureChange[] {
  const change = (name: string, breaking: boolean, what: string): SignatureChange => ({
    side: 'input',
    name,
    breaking,
    what,
  });
  return [
    ...before.flatMap((was) => {
      const is = named(after, was.name);
      if (is === undefined) return [change(was.name, true, 'is gone')];
      const kind = changeOf(was, is);
      return kind === 'none' ? [] : [change(was.name, kind !== 'wider', instead(was, is))];
    }),
    ...after
      .filter(({ name }) => named(before, name) === undefined)
      .map((is) => change(is.name, true, `is new and must be given: ${described(is)}`)),
  ];
}

function outputChanges(before: readonly TensorSpec[], after: readonly TensorSpec[]): readonly SignatureChange[] {
  const change = (name: string, breaking: boolean, what: string): SignatureChange => ({
    side: 'output',
    name,
    breaking,
    what,
  });
  return [
    ...before.flatMap((was, place) => {
      const now = after.findIndex(({ name }) => name === was.name);
      const is = after[now];
      if (is === undefined) return [change(was.name, true, 'is gone')];
      const kind = changeOf(was, is);
      return [
        ...(kind === 'none'
          ? []
          : [change(was.name, !(kind === 'narrower' || onlyBatchIsFree(was, is)), instead(was, is))]),
        ...(now === place ? [] : [change(was.name, true, `is output ${now + 1} instead of ${place + 1}`)]),
      ];
    }),
    ...after
      .filter(({ name }) => named(before, name) === undefined)
      .map((is) => change(is.name, false, `is new: ${described(is)}`)),
  ];
}

/** `wider`: every tensor that fitted before still fits. `narrower`: every tensor that fits now did before. */
type Kind = 'none' | 'wider' | 'narrower' | 'other';

function changeOf(was: TensorSpec, is: TensorSpec): Kind {
  if (was.type !== is.type) return 'other';
  if (was.unranked === true || is.unranked === true) {
    return was.unranked === is.unranked ? 'none' : is.unranked === true ? 'wider' : 'narrower';
  }
  if (was.shape.length !== is.shape.length) return 'other';
  const kinds = new Set(was.shape.map((size, at) => changeOfSize(size, is.shape[at])));
  kinds.delete('none');
  const [first = 'none', ...rest] = kinds;
  return rest.length === 0 ? first : 'other';
}

function changeOfSize(was: number | string, is: number | string | undefined): Kind {
  const [wasFixed, isFixed] = [typeof was === 'number', typeof is === 'number'];
  if (wasFixed && isFixed) return was === is ? 'none' : 'other';
  return wasFixed === isFixed ? 'none' : wasFixed ? 'wider' : 'narrower';
}

/** A batch that callers may choose now makes the outputs' first size free as well. */
function onlyBatchIsFree(was: TensorSpec, is: TensorSpec): boolean {
  const [, ...others] = is.shape;
  return (
    typeof was.shape[0] === 'number' &&
    typeof is.shape[0] === 'string' &&
    changeOf({ ...was, shape: was.shape.slice(1) }, { ...is, shape: others }) === 'none'
  );
}

function named(specs: readonly TensorSpec[], name: string): TensorSpec | undefined {
  return specs.find((spec) => spec.name === name);
}

function instead(was: TensorSpec, is: TensorSpec): string {
  return `is ${described(is)} instead of ${described(was)}`;
}

function described({ type, shape, unranked }: TensorSpec): string {
  return type.includes('(') ? type : describeTensor(type, shape, unranked);
}
