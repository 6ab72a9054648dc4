import type { TensorSpec } from './tensor.ts';

/** A tensor's declaration, and its values where they are few whole numbers: shapes, axes and scales are such. */
export interface TensorRecord {
  readonly dims: readonly number[];
  /** TensorProto.DataType. */
  readonly dataType: number;
  readonly values?: readonly number[];
}

/** An attribute as far as shapes and costs depend on it. Of floats and strings only how many there are. */
export interface AttributeRecord {
  readonly int?: number;
  readonly ints?: readonly number[];
  readonly text?: string;
  readonly tensor?: TensorRecord;
  readonly floats?: number;
  readonly texts?: number;
}

/** One node of the main graph, in the order in which nodes run. */
export interface NodeRecord {
  readonly operator: string;
  readonly domain: string;
  /** Empty where an optional input or output is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeRecord>;
  /** `domain operator` of every node inside its subgraphs. */
  readonly inner: ReadonlySet<string>;
}

/** The main graph of a model, without its weights. */
export interface GraphRecord {
  readonly nodes: readonly NodeRecord[];
  readonly initializers: ReadonlyMap<string, TensorRecord>;
  /** What the file declares of values inside the graph (`value_info`). */
  readonly declared: ReadonlyMap<string, TensorSpec>;
  /** `domain operator` of what each function of the model's own consists of, by `domain operator` of the function. */
  readonly functions: ReadonlyMap<string, ReadonlySet<string>>;
  /** False where the graph is too large to be kept: the rest is then empty. */
  readonly kept: boolean;
}

/** Values of a tensor are kept up to this many. */
export const mostKeptValues = 1024;

/** Bytes, roughly, that the record of one graph may take. */
const mostBytes = 256 * 1024 ** 2;

/** Whether there is room for more: a hostile file of many small nodes must not fill the memory. */
export class Room {
  #left = mostBytes;

  take(bytes: number): void {
    this.#left -= bytes;
  }

  get over(): boolean {
    return this.#left < 0;
  }
}
