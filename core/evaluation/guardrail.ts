import type { Tensor } from '../onnx/index.ts';
import type { Guardrail } from '../policy/index.ts';
import { counted, excerpt, nearestName, numberText } from '../text/index.ts';

/** One bound of a guardrail and what came of it, for whoever makes checks. */
export interface GuardrailFinding {
  /** Which key of the guardrail it is; the last part of the check's id. */
  readonly key: 'min' | 'max' | 'values' | 'finite';
  /** `probabilities.1/max`: output, element and key. */
  readonly id: string;
  readonly title: string;
  readonly bound: { readonly kind: 'min' | 'max' | 'must_hold'; readonly value: number | string };
  /** `skipped`: there was nothing to hold. */
  readonly status: 'pass' | 'fail' | 'error' | 'skipped';
  /** Sentences without their full stop. */
  readonly said: readonly string[];
  /** The value nearest to breaking the bound, or the one furthest beyond it. */
  readonly observed?: number;
  readonly failing?: {
    readonly total: number;
    readonly columns: readonly string[];
    readonly rows: readonly { readonly row: number; readonly values: readonly string[] }[];
  };
}

export interface GuardrailOptions {
  /** The outputs there are. */
  readonly outputs: readonly string[];
  /** Names of the elements: the policy's `model.classes`. */
  readonly classes?: readonly (string | number)[] | undefined;
  /** What a row is called: `answer`, `row`, `step`. */
  readonly row: string;
  /** What a value is called: `served value`. */
  readonly value?: string;
}

/** Rows that are shown of a broken guardrail. */
const mostRowsShown = 20;

/** Holds an output's values to a guardrail, batch after batch, in bounded memory. */
export class GuardrailTally {
  readonly guardrail: Guardrail;
  readonly #options: GuardrailOptions;
  readonly #bounds: readonly BoundTally[];
  readonly #element: number | undefined;
  #error: string | undefined;
  #rows = 0;
  #values = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;

  constructor(guardrail: Guardrail, options: GuardrailOptions) {
    this.guardrail = guardrail;
    this.#options = options;
    this.#bounds = boundsOf(guardrail);
    const { element } = guardrail;
    if (typeof element === 'string') {
      const classes = (options.classes ?? []).map(String);
      this.#element = classes.indexOf(element);
      if (this.#element === -1) this.#error = unknownName('no class', element, classes, 'model.classes names none');
    } else this.#element = element;
    if (!options.outputs.includes(guardrail.output)) {
      this.#error = unknownName('the model has no output', guardrail.output, options.outputs, 'it has none');
    }
  }

  /**
   * Holds the first `count` of the tensor's `given` rows. `rowAt` says which row of the data each is, from 1; entries that follow each other
   * with one row are one row. An undefined tensor is an output that was not given.
   */
  take(tensor: Tensor | undefined, given: number, count: number, rowAt: (entry: number) => number): void {
    if (this.#error !== undefined || tensor === undefined || given === 0) return;
    const width = tensor.data.length / given;
    if (!Number.isInteger(width)) {
      this.#error = `The output is ${tensor.type} [${tensor.dims.join(', ')}] for ${counted(given, this.#options.row)}, so no value belongs to one ${this.#options.row}`;
      return;
    }
    if (this.#element !== undefined && this.#element >= width) {
      this.#error = `The output has ${counted(width, 'value')} a ${this.#options.row}, counted from 0, and none at ${this.#element}`;
      return;
    }
    if (tensor.type === 'string' && this.#bounds.some(({ key }) => key !== 'values')) {
      this.#error = `The output is text, which has no ${this.#bounds.some(({ key }) => key === 'finite') ? 'infinity' : 'order'}`;
      return;
    }
    const [from, to] = this.#element === undefined ? [0, width] : [this.#element, this.#element + 1];
    let last: number | undefined;
    for (let entry = 0; entry < count; entry++) {
      const row = rowAt(entry);
      if (row !== last) this.#rows++;
      last = row;
      for (let at = entry * width + from; at < entry * width + to; at++) this.#hold(tensor.data[at] ?? '', row);
    }
  }

  #hold(value: number | bigint | string, row: number): void {
    this.#values++;
    const number = typeof value === 'string' ? Number.NaN : Number(value);
    if (number < this.#least) this.#least = number;
    if (number > this.#most) this.#most = number;
    for (const bound of this.#bounds) {
      if (bound.holds(number, value) || bound.lastBroken === row) continue;
      bound.lastBroken = row;
      bound.total++;
      if (bound.shown.length < mostRowsShown) bound.shown.push({ row, value: String(value) });
    }
  }

  /** One finding for each bound of the guardrail. */
  findings(): readonly GuardrailFinding[] {
    return this.#bounds.map((bound) => this.#finding(bound));
  }

  #finding(bound: BoundTally): GuardrailFinding {
    const { output, element, mostly = 1 } = this.guardrail;
    const { row: noun, value: valueNoun = 'value' } = this.#options;
    const name = element === undefined ? output : `${output}.${element}`;
    const head = {
      key: bound.key,
      id: `${name}/${bound.key}`,
      title: `${excerpt(name, 60)} ${bound.words}${mostly === 1 ? '' : ` in ${percent(mostly)} of the ${noun}s`}`,
      bound: bound.bound,
    };
    if (this.#error !== undefined) return { ...head, status: 'error', said: [this.#error] };
    if (this.#rows === 0) return { ...head, status: 'skipped', said: [`No ${noun} gave this output`] };
    if (this.#values === 0) return { ...head, status: 'error', said: [`No ${noun} holds a value of this output`] };
    const { total, shown } = bound;
    const [first] = shown;
    const [least, most] = [this.#least, this.#most];
    const ranged = least <= most;
    const range = ranged
      ? [`The ${counted(this.#values, valueNoun)} lie between ${numberText(least)} and ${numberText(most)}`]
      : [];
    const extreme = bound.key === 'min' ? least : bound.key === 'max' ? most : undefined;
    // The share that holds, compared without dividing: 9 of 10 must be 0.9.
    const holds = this.#rows - total >= mostly * this.#rows - 1e-9;
    const allowed =
      mostly === 1 ? [] : [`${counted(this.#rows - total, noun)} of ${this.#rows} keep to it, ${percent(mostly)} must`];
    const broken =
      first === undefined
        ? []
        : [
            `${counted(total, noun)} of ${this.#rows} break it; the first is row ${first.row} with ${shownValue(first.value)}`,
          ];
    return {
      ...head,
      status: holds ? 'pass' : 'fail',
      said: [...broken, ...allowed, ...(broken.length > 0 && !Number.isFinite(least) ? [] : range)],
      ...(extreme === undefined || !Number.isFinite(extreme) ? {} : { observed: extreme }),
      ...(first === undefined
        ? {}
        : {
            failing: {
              total,
              columns: [name],
              rows: shown.map(({ row, value }) => ({ row, values: [value] })),
            },
          }),
    };
  }
}

interface BoundTally {
  readonly key: GuardrailFinding['key'];
  readonly words: string;
  readonly bound: GuardrailFinding['bound'];
  holds(number: number, value: number | bigint | string): boolean;
  readonly shown: { readonly row: number; readonly value: string }[];
  total: number;
  lastBroken: number | undefined;
}

function boundsOf({ min, max, values, finite }: Guardrail): readonly BoundTally[] {
  const tally = (
    key: BoundTally['key'],
    words: string,
    bound: BoundTally['bound'],
    holds: BoundTally['holds'],
  ): BoundTally => ({ key, words, bound, holds, shown: [], total: 0, lastBroken: undefined });
  // Only what is written as a number is one: the text "1" of a model that gives text is the text.
  const numbers = new Set((values ?? []).map(Number).filter((number) => !Number.isNaN(number)));
  const texts = new Set((values ?? []).map(String));
  const listed = (values ?? []).map((value) => excerpt(String(value), 30)).join(', ');
  return [
    ...(min === undefined ? [] : [tally('min', `≥ ${min}`, { kind: 'min', value: min }, (number) => number >= min)]),
    ...(max === undefined ? [] : [tally('max', `≤ ${max}`, { kind: 'max', value: max }, (number) => number <= max)]),
    ...(values === undefined
      ? []
      : [
          tally(
            'values',
            `in ${excerpt(listed, 60)}`,
            { kind: 'must_hold', value: excerpt(`one of ${listed}`, 200) },
            (number, value) => (typeof value === 'string' ? texts.has(value) : numbers.has(number)),
          ),
        ]),
    ...(finite === undefined
      ? []
      : [tally('finite', 'is finite', { kind: 'must_hold', value: 'no NaN, no infinity' }, Number.isFinite)]),
  ];
}

function unknownName(what: string, name: string, known: readonly string[], none: string): string {
  const near = nearestName(name, known);
  const has =
    known.length === 0
      ? none
      : `it has ${known
          .slice(0, 20)
          .map((each) => excerpt(each, 40))
          .join(', ')}`;
  const message = `${what[0]?.toUpperCase()}${what.slice(1)} "${excerpt(name)}" whose values could be held; ${has}`;
  return near === undefined ? message : `${message}. Did you mean "${excerpt(near)}"?`;
}

function shownValue(value: string): string {
  const number = Number(value);
  return Number.isNaN(number) && value !== 'NaN' ? `"${excerpt(value, 40)}"` : numberText(number);
}

function percent(share: number): string {
  return `${numberText(share * 100)} %`;
}
