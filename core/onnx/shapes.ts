import type { GraphRecord, NodeRecord, TensorRecord } from './graph-record.ts';
import type { TensorSpec } from './tensor.ts';

/** A size of a dimension; undefined where the file does not settle it. */
export type Size = number | undefined;
/** Undefined where not even the number of dimensions is known. */
export type Shape = readonly Size[] | undefined;

/** What is known of a value before anything runs. `values` are those of few whole numbers: what shapes are computed from. */
export interface Known {
  readonly shape: Shape;
  readonly values?: readonly Size[];
}

export type Lookup = (name: string) => Known;

/** What exporters call the number of rows. */
const batch = /^(batch|batch_?size|n|b)$/i;

const nothing: Known = { shape: undefined };
/** Above this nothing is computed from values: shapes have few sizes. */
const mostValues = 1024;

/**
 * The shapes of everything in a graph, as far as they follow from its inputs, its initializers and the operators' definitions (ONNX 1.23,
 * Operators.md), node by node. A size that depends on data stays unknown, and nothing is guessed. Where an operator says nothing, what the
 * file itself declares of the value (`value_info`) is taken. An input's first size, where it is open, is the number of rows and taken as 1, as
 * is every size that is called so.
 */
export function shapesOf(graph: GraphRecord, inputs: readonly TensorSpec[]): Lookup {
  const rows = new Set(
    inputs.flatMap(({ shape }) =>
      shape.filter((size, at) => typeof size === 'string' && size !== '?' && (at === 0 || batch.test(size))),
    ),
  );
  const declaredShape = ({ shape, unranked }: TensorSpec, isInput: boolean): Shape =>
    unranked === true
      ? undefined
      : shape.map((size, at) =>
          typeof size === 'number' ? size : rows.has(size) || (isInput && at === 0) ? 1 : undefined,
        );
  const known = new Map<string, Known>();
  for (const [name, tensor] of graph.initializers) known.set(name, ofTensor(tensor));
  for (const input of inputs) known.set(input.name, { shape: declaredShape(input, true) });
  const lookup: Lookup = (name) => known.get(name) ?? nothing;
  for (const node of graph.nodes) {
    const given = node.inputs.map(lookup);
    const results = rulesOf(node)?.(node, given) ?? [];
    for (const [at, name] of node.outputs.entries()) {
      if (name === '') continue;
      const declared = graph.declared.get(name);
      const result = sensible(results[at] ?? nothing);
      known.set(name, declared === undefined ? result : filledIn(result, declaredShape(declared, false)));
    }
  }
  return lookup;
}

/** Of a graph that makes no sense a size may come out as a fraction or below nothing: it is then not known. */
function sensible(known: Known): Known {
  if (known.shape === undefined || known.shape.every((size) => size === undefined || isCount(size))) return known;
  return { ...known, shape: known.shape.map((size) => (size !== undefined && isCount(size) ? size : undefined)) };
}

function isCount(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0;
}

/** The product of sizes; undefined where one is unknown. */
export function productOf(sizes: Shape): Size {
  let product: Size = 1;
  for (const size of sizes ?? [undefined]) {
    if (size === 0) return 0;
    product = product === undefined || size === undefined ? undefined : product * size;
  }
  return product;
}

/** The shape that two shapes have together, as NumPy broadcasts. */
export function broadcast(one: Shape, other: Shape): Shape {
  if (one === undefined || other === undefined) return undefined;
  const rank = Math.max(one.length, other.length);
  return Array.from({ length: rank }, (_, at) => {
    const [left, right] = [one, other].map((shape) => {
      const place = at - rank + shape.length;
      return place < 0 ? 1 : shape[place];
    });
    if (left === 1) return right;
    if (right === 1) return left;
    // One of them is known and more than 1: the other is that, or 1.
    return left ?? right;
  });
}

export function intOf(node: NodeRecord, name: string, silent: number): number {
  return node.attributes.get(name)?.int ?? silent;
}

function intsOf(node: NodeRecord, name: string): readonly number[] | undefined {
  return node.attributes.get(name)?.ints;
}

type Rule = (node: NodeRecord, given: readonly Known[]) => readonly Known[];

function filledIn(found: Known, declared: Shape): Known {
  if (declared === undefined || (found.shape !== undefined && found.shape.length !== declared.length)) return found;
  if (found.shape === undefined) return { ...found, shape: declared };
  return { ...found, shape: found.shape.map((size, at) => size ?? declared[at]) };
}

function ofTensor({ dims, values }: TensorRecord): Known {
  return { shape: dims, ...(values === undefined ? {} : { values }) };
}

const same: Rule = (_node, [first = nothing]) => [{ shape: first.shape }, { shape: first.shape }];
const withValues: Rule = (_node, [first = nothing]) => [first];
const first =
  (rule: (node: NodeRecord, given: readonly Known[]) => Shape): Rule =>
  (node, given) => [{ shape: rule(node, given) }];

function elementwise(compute?: (one: number, other: number) => number): Rule {
  return (_node, given) => {
    const shape = given.map((each) => each.shape).reduce(broadcast, given.length === 0 ? undefined : []);
    const [one, other] = given;
    if (compute === undefined || one?.values === undefined || other?.values === undefined || given.length !== 2) {
      return [{ shape }];
    }
    const [left, right] = [one.values, other.values];
    const count = Math.max(left.length, right.length);
    if (
      count > mostValues ||
      (left.length !== count && left.length !== 1) ||
      (right.length !== count && right.length !== 1)
    ) {
      return [{ shape }];
    }
    const values = Array.from({ length: count }, (_, at) => {
      const [x, y] = [left[left.length === 1 ? 0 : at], right[right.length === 1 ? 0 : at]];
      return x === undefined || y === undefined ? undefined : compute(x, y);
    });
    return [{ shape, values }];
  };
}

const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** Sizes over which a window moves: of Conv and of the pools. */
function windowed(node: NodeRecord, spatial: readonly Size[], kernel: readonly Size[]): readonly Size[] {
  const strides = intsOf(node, 'strides') ?? [];
  const dilations = intsOf(node, 'dilations') ?? [];
  const pads = intsOf(node, 'pads') ?? [];
  const auto = node.attributes.get('auto_pad')?.text ?? 'NOTSET';
  const up = intOf(node, 'ceil_mode', 0) !== 0;
  return spatial.map((size, at) => {
    const stride = strides[at] ?? 1;
    const width = kernel[at];
    if (size === undefined || width === undefined) return undefined;
    if (auto.startsWith('SAME')) return Math.ceil(size / stride);
    const extent = (width - 1) * (dilations[at] ?? 1) + 1;
    const [before, after] = auto === 'VALID' ? [0, 0] : [pads[at] ?? 0, pads[at + spatial.length] ?? 0];
    const padded = size + before + after - extent;
    const count = (up ? Math.ceil(padded / stride) : Math.floor(padded / stride)) + 1;
    // A window that would begin in the padding behind is none.
    return Math.max(0, up && (count - 1) * stride >= size + before ? count - 1 : count);
  });
}

const convolution =
  (weights: number): Rule =>
  (node, given) => {
    const [x, w] = [given[0]?.shape, given[weights]?.shape];
    if (x === undefined) return [];
    const kernel = w?.slice(2) ?? intsOf(node, 'kernel_shape') ?? [];
    return [{ shape: [x[0], w?.[0], ...windowed(node, x.slice(2), kernel)] }];
  };

const transposedConvolution: Rule = first((node, [x, w]) => {
  if (x?.shape === undefined || w?.shape === undefined) return undefined;
  const spatial = x.shape.slice(2);
  const kernel = w.shape.slice(2);
  const given = intsOf(node, 'output_shape');
  const strides = intsOf(node, 'strides') ?? [];
  const dilations = intsOf(node, 'dilations') ?? [];
  const pads = intsOf(node, 'pads') ?? [];
  const extra = intsOf(node, 'output_padding') ?? [];
  const auto = node.attributes.get('auto_pad')?.text ?? 'NOTSET';
  const channels = w.shape[1];
  const sizes = spatial.map((size, at) => {
    if (given !== undefined) return given[at];
    const width = kernel[at];
    const stride = strides[at] ?? 1;
    if (size === undefined || width === undefined) return undefined;
    if (auto.startsWith('SAME')) return size * stride;
    const both = auto === 'VALID' ? 0 : (pads[at] ?? 0) + (pads[at + spatial.length] ?? 0);
    return stride * (size - 1) + (extra[at] ?? 0) + (width - 1) * (dilations[at] ?? 1) + 1 - both;
  });
  return [x.shape[0], channels === undefined ? undefined : channels * intOf(node, 'group', 1), ...sizes];
});

const pool: Rule = (node, [x = nothing]) => {
  if (x.shape === undefined) return [];
  const shape = [...x.shape.slice(0, 2), ...windowed(node, x.shape.slice(2), intsOf(node, 'kernel_shape') ?? [])];
  return [{ shape }, { shape }];
};

const globalPool = first((_node, [x]) => x?.shape?.map((size, at) => (at < 2 ? size : 1)));

const matMul = (left: number, right: number): Rule =>
  first((_node, given) => product(given[left]?.shape, given[right]?.shape));

function product(one: Shape, other: Shape): Shape {
  if (one === undefined || other === undefined || one.length === 0 || other.length === 0) return undefined;
  const batch = broadcast(one.slice(0, -2), other.slice(0, -2)) ?? [];
  return [...batch, ...(one.length === 1 ? [] : [one.at(-2)]), ...(other.length === 1 ? [] : [other.at(-1)])];
}

const gemm: Rule = first((node, [a, b]) => {
  if (a?.shape === undefined || b?.shape === undefined) return undefined;
  return [a.shape[intOf(node, 'transA', 0) === 0 ? 0 : 1], b.shape[intOf(node, 'transB', 0) === 0 ? 1 : 0]];
});

const reshape: Rule = (node, [x = nothing, wanted]) => {
  const sizes = wanted?.values ?? intsOf(node, 'shape');
  if (sizes === undefined) {
    const rank = wanted?.shape?.length === 1 ? wanted.shape[0] : undefined;
    return rank === undefined || !isCount(rank) || rank > 64 ? [] : [{ shape: Array<Size>(rank).fill(undefined) }];
  }
  const copies = intOf(node, 'allowzero', 0) === 0;
  const shape: Size[] = sizes.map((size, at) =>
    size === 0 && copies ? x.shape?.[at] : size === -1 ? undefined : size,
  );
  const rest = sizes.indexOf(-1);
  if (rest !== -1) {
    const total = productOf(x.shape);
    const others = productOf(shape.filter((_, at) => at !== rest));
    if (total !== undefined && others !== undefined && others > 0) shape[rest] = total / others;
  }
  return [{ shape, ...(x.values === undefined ? {} : { values: x.values }) }];
};

const flatten: Rule = first((node, [x]) => {
  if (x?.shape === undefined) return undefined;
  const axis = axisOf(intOf(node, 'axis', 1), x.shape.length);
  return [productOf(x.shape.slice(0, axis)), productOf(x.shape.slice(axis))];
});

const transpose: Rule = first((node, [x]) => {
  const order = intsOf(node, 'perm');
  return order === undefined
    ? x?.shape?.toReversed()
    : x?.shape === undefined
      ? order.map(() => undefined)
      : order.map((axis) => x.shape?.[axis]);
});

const concat: Rule = (node, given) => {
  const shapes = given.map((each) => each.shape);
  const known = shapes.find((shape) => shape !== undefined);
  if (known === undefined) return [];
  const axis = axisOf(intOf(node, 'axis', 0), known.length);
  const shape = known.map((_, at) => {
    const sizes = shapes.map((each) => each?.[at]);
    if (at === axis)
      return sizes.includes(undefined) ? undefined : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    return sizes.find((size) => size !== undefined);
  });
  // Parts of a shape whose values are not known still have as many places as they have elements.
  const parts = given.map(({ values, shape: of }) => values ?? unknownValues(of));
  if (axis !== 0 || known.length !== 1 || parts.includes(undefined)) return [{ shape }];
  const values = parts.flatMap((part) => part ?? []);
  return [values.length > mostValues ? { shape } : { shape, values }];
};

function unknownValues(shape: Shape): readonly Size[] | undefined {
  const count = productOf(shape);
  return count === undefined || !isCount(count) || count > mostValues ? undefined : Array<Size>(count).fill(undefined);
}

const split: Rule = (node, [x = nothing, sizes]) => {
  if (x.shape === undefined) return [];
  const axis = axisOf(intOf(node, 'axis', 0), x.shape.length);
  const parts = sizes?.values ?? intsOf(node, 'split');
  const count = node.outputs.length;
  const whole = x.shape[axis];
  return node.outputs.map((_, at) => {
    const even = whole === undefined ? undefined : Math.ceil(whole / count);
    const last = whole === undefined || even === undefined ? undefined : whole - even * (count - 1);
    const size = parts === undefined ? (at === count - 1 ? last : even) : parts[at];
    return { shape: x.shape?.map((of, place) => (place === axis ? size : of)) };
  });
};

const slice: Rule = (node, [x = nothing, starts, ends, axes, steps]) => {
  if (x.shape === undefined) return [];
  const from = starts?.values ?? intsOf(node, 'starts');
  const to = ends?.values ?? intsOf(node, 'ends');
  const given = axes === undefined ? intsOf(node, 'axes') : axes.values;
  if (from === undefined || to === undefined || (axes?.shape !== undefined && given === undefined)) {
    return [{ shape: x.shape.map(() => undefined) }];
  }
  const over = given ?? from.map((_, at) => at);
  const shape: Size[] = [...x.shape];
  let values = x.values;
  for (const [at, axis] of over.entries()) {
    const place = axis === undefined ? -1 : axisOf(axis, shape.length);
    const step = steps?.values === undefined ? (steps?.shape === undefined ? 1 : undefined) : steps.values[at];
    const range = rangeOf(shape[place], from[at], to[at], step);
    if (values !== undefined && shape.length === 1 && range !== undefined && step !== undefined) {
      const all = values;
      values = Array.from({ length: range.count }, (_, index) => all[range.first + index * step]);
    } else values = undefined;
    shape[place] = range?.count;
  }
  return [{ shape, ...(values === undefined ? {} : { values }) }];
};

function rangeOf(
  size: Size,
  from: Size,
  to: Size,
  step: Size,
): { readonly first: number; readonly count: number } | undefined {
  if (size === undefined || from === undefined || to === undefined || step === undefined || step === 0)
    return undefined;
  const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
  const bounded = (place: number) => Math.min(most, Math.max(least, place < 0 ? place + size : place));
  const start = step > 0 ? bounded(from) : Math.min(size - 1, Math.max(0, from < 0 ? from + size : from));
  const stop = step < 0 && to < -size ? -1 : bounded(to);
  return { first: start, count: Math.max(0, Math.ceil((stop - start) / step)) };
}

const squeeze: Rule = (node, [x = nothing, axes]) => {
  const given = axes?.values ?? intsOf(node, 'axes');
  if (x.shape === undefined || (axes?.shape !== undefined && given === undefined)) return [];
  const { shape } = x;
  const gone = given?.map((axis) => axisOf(axis ?? 0, shape.length));
  if (gone === undefined && shape.includes(undefined)) return [];
  const left = shape.filter((size, at) => (gone === undefined ? size !== 1 : !gone.includes(at)));
  return [{ ...x, shape: left }];
};

const unsqueeze: Rule = (node, [x = nothing, axes]) => {
  const given = axes?.values ?? intsOf(node, 'axes');
  if (x.shape === undefined || given === undefined) return [];
  const rank = x.shape.length + given.length;
  const places = new Set(given.map((axis) => axisOf(axis ?? 0, rank)));
  const rest = [...x.shape];
  const shape = Array.from({ length: rank }, (_, at) => (places.has(at) ? 1 : rest.shift()));
  return [{ ...x, shape }];
};

const gather: Rule = (node, [x = nothing, indices = nothing]) => {
  if (x.shape === undefined || indices.shape === undefined) return [];
  const axis = axisOf(intOf(node, 'axis', 0), x.shape.length);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const { values } = x;
  if (values === undefined || indices.values === undefined || x.shape.length !== 1) return [{ shape }];
  return [
    {
      shape,
      values: indices.values.map((at) => (at === undefined ? undefined : values[at < 0 ? at + values.length : at])),
    },
  ];
};

const shapeItself: Rule = (node, [x = nothing]) => {
  if (x.shape === undefined) return [];
  const rank = x.shape.length;
  const values = x.shape.slice(axisOf(intOf(node, 'start', 0), rank), axisOf(intOf(node, 'end', rank), rank));
  return [{ shape: [values.length], values }];
};

const constant: Rule = (node) => {
  const tensor = node.attributes.get('value')?.tensor;
  if (tensor !== undefined) return [ofTensor(tensor)];
  const int = node.attributes.get('value_int')?.int;
  if (int !== undefined) return [{ shape: [], values: [int] }];
  const ints = node.attributes.get('value_ints')?.ints;
  if (ints !== undefined) return [{ shape: [ints.length], values: ints }];
  const floats = node.attributes.get('value_floats')?.floats;
  return [{ shape: floats === undefined ? [] : [floats] }];
};

const ofShape: Rule = (node, [wanted = nothing]) => {
  const filling = node.attributes.get('value')?.tensor?.values?.[0];
  const { values: shape } = wanted;
  if (shape === undefined) {
    const rank = wanted.shape?.[0];
    return rank === undefined || !isCount(rank) || rank > 64 ? [] : [{ shape: Array<Size>(rank).fill(undefined) }];
  }
  const count = productOf(shape);
  if (filling === undefined || count === undefined || !isCount(count) || count > mostValues) return [{ shape }];
  return [{ shape, values: Array<Size>(count).fill(filling) }];
};

const expand: Rule = first((_node, [x, wanted]) =>
  wanted?.values === undefined ? undefined : broadcast(x?.shape, wanted.values),
);

const tile: Rule = first((_node, [x, repeats]) =>
  x?.shape?.map((size, at) => {
    const times = repeats?.values?.[at];
    return size === undefined || times === undefined ? undefined : size * times;
  }),
);

const pad: Rule = first((node, [x, pads, , axes]) => {
  const given = pads?.values ?? intsOf(node, 'pads');
  if (x?.shape === undefined || axes?.shape !== undefined) return undefined;
  const rank = x.shape.length;
  return x.shape.map((size, at) => {
    const [before, after] = [given?.[at], given?.[at + rank]];
    return size === undefined || before === undefined || after === undefined ? undefined : size + before + after;
  });
});

const reduce: Rule = first((node, [x, axes]) => {
  if (x?.shape === undefined) return undefined;
  const given = axes?.values ?? intsOf(node, 'axes');
  if (axes?.shape !== undefined && given === undefined) return undefined;
  const { shape } = x;
  if (given === undefined && intOf(node, 'noop_with_empty_axes', 0) !== 0) return shape;
  const gone = new Set((given ?? shape.map((_, at) => at)).map((axis) => axisOf(axis ?? 0, shape.length)));
  if (intOf(node, 'keepdims', 1) !== 0) return shape.map((size, at) => (gone.has(at) ? 1 : size));
  return shape.filter((_, at) => !gone.has(at));
});

const best: Rule = first((node, [x]) => {
  if (x?.shape === undefined) return undefined;
  const axis = axisOf(intOf(node, 'axis', 0), x.shape.length);
  if (intOf(node, 'keepdims', 1) !== 0) return x.shape.map((size, at) => (at === axis ? 1 : size));
  return x.shape.filter((_, at) => at !== axis);
});

const topK: Rule = (node, [x = nothing, k]) => {
  if (x.shape === undefined) return [];
  const axis = axisOf(intOf(node, 'axis', -1), x.shape.length);
  const count = k?.values?.[0] ?? (k === undefined ? intOf(node, 'k', Number.NaN) : undefined);
  const shape = x.shape.map((size, at) => (at === axis ? count : size));
  return [{ shape }, { shape }];
};

const range: Rule = (_node, given) => {
  const [start, limit, delta] = given.map(({ values }) => values?.[0]);
  if (start === undefined || limit === undefined || delta === undefined || delta === 0) return [{ shape: [undefined] }];
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  const values = count > mostValues ? undefined : Array.from({ length: count }, (_, at) => start + at * delta);
  return [{ shape: [count], ...(values === undefined ? {} : { values }) }];
};

const resize: Rule = first((node, given) => {
  const [x] = given;
  if (x?.shape === undefined || intsOf(node, 'axes') !== undefined) return undefined;
  // Upsample and the first Resize have the scales second, later ones third, and the sizes fourth.
  const scales = given.length === 2 ? given[1] : given[2];
  const sizes = given[3]?.values;
  if (sizes !== undefined && sizes.length === x.shape.length) return sizes;
  return x.shape.map((size, at) => {
    const scale = scales?.values?.[at];
    return size === undefined || scale === undefined ? undefined : Math.floor(size * scale);
  });
});

const depthToSpace =
  (deeper: boolean): Rule =>
  (node, [x = nothing]) => {
    const block = intOf(node, 'blocksize', 1);
    if (x.shape === undefined) return [];
    const [n, c, h, w] = x.shape;
    const times = (size: Size, factor: number): Size => (size === undefined ? undefined : size * factor);
    const [channels, side] = deeper ? [block * block, 1 / block] : [1 / (block * block), block];
    return [{ shape: [n, times(c, channels), times(h, side), times(w, side)] }];
  };

const recurrent: Rule = (node, [x = nothing, , r = nothing]) => {
  const hidden = r.shape?.[2] ?? node.attributes.get('hidden_size')?.int;
  const directions = node.attributes.get('direction')?.text === 'bidirectional' ? 2 : 1;
  if (x.shape === undefined) return [];
  const byBatch = intOf(node, 'layout', 0) === 1;
  const [steps, batch] = byBatch ? [x.shape[1], x.shape[0]] : [x.shape[0], x.shape[1]];
  const last = { shape: byBatch ? [batch, directions, hidden] : [directions, batch, hidden] };
  return [{ shape: byBatch ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden] }, last, last];
};

/** The sizes by letter of an Einsum, and the letters of its result; undefined for what has dots. */
export function einsumSizes(
  node: NodeRecord,
  given: readonly Known[],
): { readonly sizes: ReadonlyMap<string, Size>; readonly result: string } | undefined {
  const equation = node.attributes.get('equation')?.text?.replaceAll(' ', '');
  const [left, right] = equation?.split('->') ?? [];
  if (equation === undefined || left === undefined || equation.includes('.')) return undefined;
  const terms = left.split(',');
  const sizes = new Map<string, Size>();
  for (const [at, term] of terms.entries()) {
    for (const [place, letter] of [...term].entries())
      sizes.set(letter, sizes.get(letter) ?? given[at]?.shape?.[place]);
  }
  const once = [...sizes.keys()].filter((letter) => left.split(letter).length === 2).sort();
  return { sizes, result: right ?? once.join('') };
}

const einsum: Rule = first((node, given) => {
  const found = einsumSizes(node, given);
  return found === undefined ? undefined : [...found.result].map((letter) => found.sizes.get(letter));
});

const layerNormalization: Rule = (_node, [x = nothing]) => [{ shape: x.shape }];

const oneHot: Rule = first((node, [indices, depth]) => {
  if (indices?.shape === undefined) return undefined;
  const rank = indices.shape.length + 1;
  const axis = axisOf(intOf(node, 'axis', -1), rank);
  return [...indices.shape.slice(0, axis), depth?.values?.[0], ...indices.shape.slice(axis)];
});

const gatherNd: Rule = first((node, [x, indices]) => {
  const deep = indices?.shape?.at(-1);
  if (x?.shape === undefined || indices?.shape === undefined || deep === undefined) return undefined;
  return [...indices.shape.slice(0, -1), ...x.shape.slice(deep + intOf(node, 'batch_dims', 0))];
});

const where: Rule = (_node, given) => {
  const shape = given.map((each) => each.shape).reduce(broadcast, given.length === 0 ? undefined : []);
  const [condition, yes, no] = given;
  const count = productOf(shape);
  if (count === undefined || count > mostValues || condition?.values === undefined) return [{ shape }];
  const at = (values: readonly Size[] | undefined, index: number) => values?.[values.length === 1 ? 0 : index];
  const values = Array.from({ length: count }, (_, index) => {
    const holds = at(condition.values, index);
    return holds === undefined ? undefined : at(holds === 0 ? no?.values : yes?.values, index);
  });
  return [{ shape, values }];
};

const sameNames =
  `Relu LeakyRelu Sigmoid Tanh Elu Selu Celu Softplus Softsign HardSigmoid HardSwish Mish Swish Gelu Erf Exp Log Sqrt Abs Neg Ceil
  Floor Round Sign Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Not Clip Dropout Softmax LogSoftmax Hardmax BatchNormalization
  InstanceNormalization GroupNormalization LpNormalization MeanVarianceNormalization LRN QuantizeLinear DequantizeLinear Reciprocal IsNaN IsInf
  CumSum Trilu ThresholdedRelu Shrink BitwiseNot ScatterND ScatterElements Scatter RandomNormalLike RandomUniformLike ReverseSequence Bernoulli
  EyeLike TfIdfVectorizer`.split(/\s+/);
const reductions =
  `ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare`.split(
    ' ',
  );

const standard: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(sameNames.map((name) => [name, same])),
  ...Object.fromEntries(reductions.map((name) => [name, reduce])),
  Identity: withValues,
  Cast: withValues,
  CastLike: withValues,
  LayerNormalization: layerNormalization,
  RMSNormalization: layerNormalization,
  Add: elementwise((one, other) => one + other),
  Sub: elementwise((one, other) => one - other),
  Mul: elementwise((one, other) => one * other),
  Div: elementwise((one, other) => (other === 0 ? Number.NaN : Math.trunc(one / other))),
  Max: elementwise(Math.max),
  Min: elementwise(Math.min),
  Mod: elementwise((one, other) => (other === 0 ? Number.NaN : one - other * Math.floor(one / other))),
  Equal: elementwise((one, other) => (one === other ? 1 : 0)),
  ...Object.fromEntries(
    'Pow Less Greater LessOrEqual GreaterOrEqual And Or Xor BitShift BitwiseAnd BitwiseOr BitwiseXor Sum Mean PRelu'
      .split(' ')
      .map((name) => [name, elementwise()]),
  ),
  Where: where,
  Conv: convolution(1),
  ConvInteger: convolution(1),
  QLinearConv: convolution(3),
  ConvTranspose: transposedConvolution,
  MaxPool: pool,
  AveragePool: pool,
  LpPool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  GlobalLpPool: globalPool,
  MatMul: matMul(0, 1),
  MatMulInteger: matMul(0, 1),
  QLinearMatMul: matMul(0, 3),
  Gemm: gemm,
  DynamicQuantizeLinear: (_node, [x = nothing]) => [{ shape: x.shape }, { shape: [] }, { shape: [] }],
  Flatten: flatten,
  Reshape: reshape,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Gather: gather,
  GatherElements: first((_node, [, indices]) => indices?.shape),
  GatherND: gatherNd,
  Shape: shapeItself,
  Size: (_node, [x = nothing]) => [{ shape: [], values: [productOf(x.shape)] }],
  Constant: constant,
  ConstantOfShape: ofShape,
  Expand: expand,
  Tile: tile,
  Pad: pad,
  ArgMax: best,
  ArgMin: best,
  TopK: topK,
  Range: range,
  Resize: resize,
  Upsample: resize,
  DepthToSpace: depthToSpace(false),
  SpaceToDepth: depthToSpace(true),
  OneHot: oneHot,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
  Einsum: einsum,
};

const textsOrInts = (node: NodeRecord, ...names: readonly string[]): Size => {
  for (const name of names) {
    const attribute = node.attributes.get(name);
    const count = attribute?.texts ?? attribute?.ints?.length;
    if (count !== undefined) return count;
  }
  return undefined;
};

const rowsOf = ([x]: readonly Known[]): Size =>
  x?.shape === undefined ? undefined : x.shape.length === 1 ? 1 : x.shape[0];
const classifier: Rule = (node, given) => [
  { shape: [rowsOf(given)] },
  { shape: [rowsOf(given), textsOrInts(node, 'classlabels_strings', 'classlabels_ints', 'classlabels_int64s')] },
];
const regressor: Rule = first((node, given) => [rowsOf(given), intOf(node, 'targets', intOf(node, 'n_targets', 1))]);

const classical: Readonly<Record<string, Rule>> = {
  Scaler: same,
  Normalizer: same,
  Imputer: same,
  Binarizer: same,
  LabelEncoder: same,
  CategoryMapper: same,
  ArrayFeatureExtractor: first((_node, [x, indices]) => {
    const count = productOf(indices?.shape);
    return x?.shape === undefined ? undefined : [...(x.shape.length === 1 ? [1] : x.shape.slice(0, -1)), count];
  }),
  FeatureVectorizer: first((node, given) => {
    const widths = intsOf(node, 'inputdimensions');
    return [rowsOf(given), widths?.reduce((sum, width) => sum + width, 0)];
  }),
  OneHotEncoder: first((node, [x]) =>
    x?.shape === undefined ? undefined : [...x.shape, textsOrInts(node, 'cats_strings', 'cats_int64s')],
  ),
  LinearClassifier: classifier,
  SVMClassifier: classifier,
  TreeEnsembleClassifier: classifier,
  LinearRegressor: regressor,
  SVMRegressor: regressor,
  TreeEnsembleRegressor: regressor,
  TreeEnsemble: regressor,
};

const microsoft: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    'Gelu FastGelu QuickGelu BiasGelu SkipLayerNormalization SimplifiedLayerNormalization SkipSimplifiedLayerNormalization QuantizeLinear DequantizeLinear'
      .split(' ')
      .map((name) => [name, layerNormalization]),
  ),
  FusedConv: convolution(1),
  FusedGemm: gemm,
  QLinearAdd: first((_node, [a, , , b]) => broadcast(a?.shape, b?.shape)),
  QLinearMul: first((_node, [a, , , b]) => broadcast(a?.shape, b?.shape)),
};

const byDomain: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  'ai.onnx': standard,
  'ai.onnx.ml': classical,
  'com.microsoft': microsoft,
};

/** Names come from the file: `constructor` is no operator. */
function rulesOf({ domain, operator }: NodeRecord): Rule | undefined {
  const rules = Object.hasOwn(byDomain, domain) ? byDomain[domain] : undefined;
  return rules !== undefined && Object.hasOwn(rules, operator) ? rules[operator] : undefined;
}
