import { type Problem, SluiceError } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';

/** A request or an answer of the Open Inference Protocol is broken: everything that is wrong with it, each with its place in it. */
export class MessageError extends SluiceError {
  override readonly name = 'MessageError';
}

/** What a decoder finds wrong; `found` may hold anything a stranger sent and is cut and made printable here. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  /** `inputs[0].shape`. */
  readonly key?: string;
  readonly found?: string;
  readonly expected?: string;
  readonly fix: string;
}

/** Thrown inside a decoder for the first fault of one tensor, so that the other tensors are still looked at. */
export class FaultError extends Error {
  readonly problem: Problem;

  constructor({ code, message, key, found, expected, fix }: Fault) {
    super(message);
    this.problem = {
      code,
      message: excerpt(message, 200),
      ...(key === undefined ? {} : { place: { key: excerpt(key, 120) } }),
      ...(found === undefined ? {} : { found: excerpt(found) }),
      ...(expected === undefined ? {} : { expected: excerpt(expected, 200) }),
      fix,
    };
  }
}

/** Runs a decoder: its faults, and whatever a library below it throws at broken bytes, leave as a MessageError. */
export function decoding<Value>(what: string, decode: () => Value): Value {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof MessageError) throw cause;
    if (cause instanceof FaultError) throw new MessageError(cause.problem);
    throw new MessageError(
      {
        code: 'broken-message',
        message: `the ${what} cannot be read`,
        found: excerpt(cause instanceof Error ? cause.message : String(cause), 200),
        fix: `Send a ${what} as the Open Inference Protocol describes it.`,
      },
      { cause },
    );
  }
}

/** Decodes one after the other and throws the faults of all of them together; at most ten are told. */
export function eachOf<Item>(items: readonly Item[], decode: (item: Item, index: number) => void): void {
  let problems: Problem[] | undefined;
  for (let index = 0; index < items.length; index++) {
    try {
      decode(items[index] as Item, index);
    } catch (cause) {
      if (!(cause instanceof FaultError)) throw cause;
      problems ??= [];
      if (problems.push(cause.problem) === 10) break;
    }
  }
  const [first, ...rest] = problems ?? [];
  if (first !== undefined) throw new MessageError([first, ...rest]);
}

/** A value of a stranger's JSON, as messages show it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}
