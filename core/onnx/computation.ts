import type { GraphRecord, NodeRecord } from './graph-record.ts';
import { broadcast, einsumSizes, intOf, type Known, productOf, type Shape, type Size, shapesOf } from './shapes.ts';
import { functionKey } from './structure.ts';
import type { TensorSpec } from './tensor.ts';
import { nodesVisited } from './tree-depth.ts';

/** What a model computes for one row: the open first size of an input is taken as 1. */
export interface Computation {
  /**
   * Multiply-accumulates, and of trees the nodes that a row visits at most, as far as they are known. What is cheap beside them
   * (activations, normalisations, additions) does not count.
   */
  readonly operations: number;
  /** The same by operator, the most first. */
  readonly byOperator: Readonly<Record<string, number>>;
  /** Operators that multiply, and whose cost the file does not tell. With any, `operations` is too small by an unknown amount. */
  readonly unknown: readonly { readonly operator: string; readonly nodes: number; readonly why: string }[];
}

type Cost = (node: NodeRecord, given: readonly Known[], results: readonly Known[]) => Size;

/**
 * Estimates what one row costs from the graph alone. Definitions: of a matrix product or a convolution one multiply-accumulate for each
 * weight that meets each number of the result; of recurrent layers each weight at each step; of support vectors each of their numbers.
 * Nothing is guessed: a size that is unknown makes the operator's cost unknown.
 */
export function computationOf(graph: GraphRecord, inputs: readonly TensorSpec[]): Computation {
  if (!graph.kept) {
    return { operations: 0, byOperator: {}, unknown: [{ operator: 'all', nodes: 1, why: 'the graph is too large' }] };
  }
  const lookup = shapesOf(graph, inputs);
  const costs = new Map<string, number>();
  const unknown = new Map<string, { operator: string; nodes: number; why: string }>();
  for (const node of graph.nodes) {
    const name = node.domain === 'ai.onnx' ? node.operator : `${node.domain}.${node.operator}`;
    const cost = costOf(node, node.inputs.map(lookup), node.outputs.map(lookup), graph);
    if (typeof cost === 'number') {
      if (cost > 0) costs.set(name, (costs.get(name) ?? 0) + cost);
      continue;
    }
    const known = unknown.get(`${name} ${cost.why}`);
    if (known === undefined) unknown.set(`${name} ${cost.why}`, { operator: name, nodes: 1, why: cost.why });
    else known.nodes++;
  }
  const sorted = [...costs].sort(([, one], [, other]) => other - one);
  return {
    operations: sorted.reduce((sum, [, cost]) => sum + cost, 0),
    byOperator: Object.fromEntries(sorted),
    unknown: [...unknown.values()],
  };
}

function costOf(
  node: NodeRecord,
  given: readonly Known[],
  results: readonly Known[],
  graph: GraphRecord,
): number | { readonly why: string } {
  const key = functionKey(node.domain, node.operator);
  if (graph.functions.has(key)) {
    return multiplies(key, graph, new Set()) ? { why: 'its cost depends on a function of the model' } : 0;
  }
  if ([...node.inner].some((inner) => multiplies(inner, graph, new Set()))) {
    return { why: 'its cost depends on which of its subgraphs run, and how often' };
  }
  const cost = costs.get(key);
  if (cost === undefined) return uncounted(key) ? { why: 'how much it multiplies is not known to Sluice' } : 0;
  const number = cost(node, given, results);
  return number === undefined || !Number.isFinite(number)
    ? { why: 'a size that it multiplies is not fixed by the file' }
    : number;
}

/** Whether a node of that kind costs anything, itself or by what it is made of. */
function multiplies(key: string, graph: GraphRecord, seen: Set<string>): boolean {
  if (seen.has(key)) return false;
  seen.add(key);
  const body = graph.functions.get(key);
  if (body !== undefined) return [...body].some((inner) => multiplies(inner, graph, seen));
  return costs.has(key) || uncounted(key);
}

/** Operators of the standard that multiply matrices in ways that are not counted here, and all but a few of other domains. */
function uncounted(key: string): boolean {
  if (key.startsWith('ai.onnx.ml ')) return false;
  if (key.startsWith('ai.onnx ')) return /^ai\.onnx (Attention|DeformConv|DFT|STFT|AffineGrid)$/.test(key);
  return !cheap.has(key);
}

const cheap = new Set(
  `Gelu FastGelu QuickGelu BiasGelu BiasSoftmax BiasDropout SkipLayerNormalization SimplifiedLayerNormalization SkipSimplifiedLayerNormalization
   EmbedLayerNormalization QuantizeLinear DequantizeLinear QLinearAdd QLinearMul QLinearSigmoid QLinearLeakyRelu QLinearConcat
   QLinearAveragePool QLinearGlobalAveragePool QLinearSoftmax Range Unique Trilu`
    .split(/\s+/)
    .map((name) => `com.microsoft ${name}`),
);

const times = (...sizes: readonly Size[]): Size => productOf(sizes);

const matMul =
  (left: number, right: number): Cost =>
  (_node, given) => {
    const [a, b] = [given[left]?.shape, given[right]?.shape];
    if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return undefined;
    const inner = a.at(-1) ?? (b.length === 1 ? b[0] : b.at(-2));
    const batch = broadcast(a.slice(0, -2), b.slice(0, -2));
    return times(productOf(batch), a.length === 1 ? 1 : a.at(-2), inner, b.length === 1 ? 1 : b.at(-1));
  };

const gemm: Cost = (node, [a, b]) => {
  if (a?.shape === undefined || b?.shape === undefined) return undefined;
  const [rows, inner] = intOf(node, 'transA', 0) === 0 ? a.shape : a.shape.toReversed();
  const [same, columns] = intOf(node, 'transB', 0) === 0 ? b.shape : b.shape.toReversed();
  return times(rows, inner ?? same, columns);
};

/** Each number of the result meets the weights of its channel. */
const convolution =
  (weights: number): Cost =>
  (_node, given, [y]) =>
    times(productOf(y?.shape), productOf(given[weights]?.shape?.slice(1)));

/** Each number of the input meets the weights of its channel. */
const transposedConvolution: Cost = (_node, [x, w]) => times(productOf(x?.shape), productOf(w?.shape?.slice(1)));

const recurrent: Cost = (_node, [x, w, r]) => {
  const steps = productOf(x?.shape?.slice(0, 2));
  const [input, state] = [productOf(w?.shape), productOf(r?.shape)];
  return times(steps, input === undefined || state === undefined ? undefined : input + state);
};

const einsum: Cost = (node, given) => {
  if (given.length < 2) return 0;
  const found = given.length === 2 ? einsumSizes(node, given) : undefined;
  return found === undefined ? undefined : productOf([...found.sizes.values()]);
};

const rows = (shape: Shape): Size => (shape === undefined ? undefined : shape.length === 1 ? 1 : shape[0]);
const floats = (node: NodeRecord, name: string): number => node.attributes.get(name)?.floats ?? 0;

const linear: Cost = (node, [x]) => times(rows(x?.shape), floats(node, 'coefficients'));
const supportVectors: Cost = (node, [x]) =>
  times(rows(x?.shape), floats(node, 'support_vectors') + floats(node, 'coefficients'));
const trees: Cost = (node, [x]) => times(rows(x?.shape), nodesVisited(node));

const costs: ReadonlyMap<string, Cost> = new Map<string, Cost>([
  ['ai.onnx MatMul', matMul(0, 1)],
  ['ai.onnx MatMulInteger', matMul(0, 1)],
  ['ai.onnx QLinearMatMul', matMul(0, 3)],
  ['com.microsoft MatMulInteger16', matMul(0, 1)],
  ['com.microsoft MatMulIntegerToFloat', matMul(0, 1)],
  ['com.microsoft DynamicQuantizeMatMul', matMul(0, 1)],
  ['ai.onnx Gemm', gemm],
  ['com.microsoft FusedGemm', gemm],
  ['ai.onnx Conv', convolution(1)],
  ['ai.onnx ConvInteger', convolution(1)],
  ['ai.onnx QLinearConv', convolution(3)],
  ['com.microsoft FusedConv', convolution(1)],
  ['ai.onnx ConvTranspose', transposedConvolution],
  ['ai.onnx LSTM', recurrent],
  ['ai.onnx GRU', recurrent],
  ['ai.onnx RNN', recurrent],
  ['ai.onnx Einsum', einsum],
  ['ai.onnx.ml LinearClassifier', linear],
  ['ai.onnx.ml LinearRegressor', linear],
  ['ai.onnx.ml SVMClassifier', supportVectors],
  ['ai.onnx.ml SVMRegressor', supportVectors],
  ['ai.onnx.ml TreeEnsembleClassifier', trees],
  ['ai.onnx.ml TreeEnsembleRegressor', trees],
  ['ai.onnx.ml TreeEnsemble', trees],
]);
