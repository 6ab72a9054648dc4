import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Computation, computationOf } from './computation.ts';
import {
  floatTensor,
  type GraphToWrite,
  linearModel,
  type ModelToWrite,
  type NodeToWrite,
  writeModel,
} from './model-writer.ts';
import { readStructure } from './structure.ts';
import { WireReader } from './wire-reader.ts';

interface Case {
  readonly name: string;
  readonly byOperator: Readonly<Record<string, number>>;
  readonly onnxTool?: Readonly<Record<string, number>>;
}

const file = (name: string) => readFileSync(fileURLToPath(new URL(`reference/${name}`, import.meta.url)));
const cases: readonly Case[] = JSON.parse(file('computations.json').toString('utf8'));

function computed(content: Uint8Array): Computation {
  const read = (buffer: Uint8Array, position: number): number => {
    const part = content.subarray(position, position + buffer.length);
    buffer.set(part);
    return part.length;
  };
  const { graph, inputs } = readStructure(new WireReader(read, content.length), { tensorBytes: 2 ** 31 });
  return computationOf(graph, inputs);
}

const of = (model: ModelToWrite) => computed(writeModel(model));

describe('what a model computes for one row', () => {
  it.each(cases)('is what public tools say: $name', ({ name, byOperator, onnxTool }) => {
    const { unknown, ...found } = computed(file(`${name}.onnx`));
    expect(unknown).toEqual([]);
    expect(found.byOperator).toEqual(byOperator);
    expect(found.operations).toBe(Object.values(byOperator).reduce((sum, cost) => sum + cost, 0));
    // onnx-tool adds the biases, and counts a transposed convolution over the zeros between its inputs.
    for (const operator of ['Conv', 'Gemm', 'MatMul']) {
      const [ours = 0, theirs = 0] = [byOperator[operator], onnxTool?.[operator]];
      if (onnxTool !== undefined) expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(0.01 * theirs);
    }
  });

  it('of ResNet-18 is the 1.814 billion of its paper’s implementations', () => {
    expect(computed(file('resnet18.onnx')).operations).toBe(1_814_073_344);
  });

  it('is all of a linear model’s weights once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (inputs, outputs) => {
        const weights = Array.from({ length: inputs }, () => Array(outputs).fill(1));
        expect(computed(linearModel(weights, Array(outputs).fill(0)))).toEqual({
          operations: inputs * outputs,
          byOperator: { MatMul: inputs * outputs },
          unknown: [],
        });
      }),
    );
  });
});

const x = (...shape: readonly (number | string)[]) => [{ name: 'X', type: 'float32', shape } as const];
const w = floatTensor('w', [4, 4], Array(16).fill(1));
const node = (operator: string, more: Partial<NodeToWrite> = {}): NodeToWrite => ({
  operator,
  inputs: ['X', 'w'],
  outputs: ['Y'],
  ...more,
});
const graphOf = (graph: Partial<GraphToWrite>): ModelToWrite => ({
  graph: { nodes: [node('MatMul')], inputs: x('batch', 4), initializers: [w], ...graph },
});

describe('what the file does not settle', () => {
  it('is said to be unknown: a length that only the caller knows', () => {
    expect(of(graphOf({ inputs: x('batch', 'length', 4) }))).toEqual({
      operations: 0,
      byOperator: {},
      unknown: [{ operator: 'MatMul', nodes: 1, why: 'a size that it multiplies is not fixed by the file' }],
    });
  });

  it('may be declared in the file, and is taken from there only where nothing else says it', () => {
    const nodes = [
      { operator: 'NonZero', inputs: ['X'], outputs: ['n'] },
      { operator: 'Mystery', inputs: ['n'], outputs: ['m'] },
      { operator: 'MatMul', inputs: ['m', 'w'], outputs: ['Y'] },
    ];
    expect(of(graphOf({ nodes })).unknown).toHaveLength(1);
    const declared = [{ name: 'm', type: 'float32', shape: ['batch', 4] }] as const;
    expect(of(graphOf({ nodes, declared }))).toEqual({ operations: 16, byOperator: { MatMul: 16 }, unknown: [] });
    // A lie about what follows from the graph changes nothing.
    const known = [{ operator: 'Relu', inputs: ['X'], outputs: ['m'] }, node('MatMul', { inputs: ['m', 'w'] })];
    expect(of(graphOf({ nodes: known, inputs: x(3, 4), declared })).operations).toBe(48);
  });

  it('is what runs in a loop or in one of two branches, if that multiplies', () => {
    const branch = (operator: string) => ({ graph: { nodes: [{ operator, inputs: ['X', 'w'], outputs: ['b'] }] } });
    const either = (operator: string) =>
      of(
        graphOf({ nodes: [node('If', { attributes: { then_branch: branch('Add'), else_branch: branch(operator) } })] }),
      );
    expect(either('Mul')).toEqual({ operations: 0, byOperator: {}, unknown: [] });
    expect(either('MatMul').unknown).toMatchObject([{ operator: 'If', why: expect.stringContaining('subgraphs') }]);
  });

  it('is a function of the model’s own that multiplies, also by way of another', () => {
    const functionOf = (name: string, operator: string, domain?: string) => ({
      name,
      domain: 'own',
      inputs: ['a'],
      outputs: ['b'],
      nodes: [{ operator, ...(domain === undefined ? {} : { domain }) }],
    });
    const calling = (name: string): ModelToWrite => ({
      ...graphOf({ nodes: [node(name, { domain: 'own' })] }),
      functions: [
        functionOf('Outer', 'Inner', 'own'),
        functionOf('Inner', 'Gemm'),
        functionOf('Plain', 'Add'),
        functionOf('Self', 'Self', 'own'),
      ],
    });
    expect(of(calling('Outer')).unknown).toMatchObject([{ operator: 'own.Outer' }]);
    expect(of(calling('Plain')).unknown).toEqual([]);
    expect(of(calling('Self')).unknown).toEqual([]);
  });

  it.each(['Attention', 'DeformConv'])('is %s, which is not counted', (operator) => {
    expect(of(graphOf({ nodes: [node(operator)] })).unknown).toMatchObject([{ operator }]);
  });

  it('is an operator of another domain, unless it is known to be cheap', () => {
    const inDomain = (operator: string) =>
      of(graphOf({ nodes: [node(operator, { domain: 'com.microsoft' })] })).unknown;
    expect(inDomain('MatMulNBits')).toMatchObject([{ operator: 'com.microsoft.MatMulNBits' }]);
    expect(inDomain('FastGelu')).toEqual([]);
  });

  it('is a tree that leads back into itself', () => {
    const tree = (yes: readonly number[], no: readonly number[]) =>
      of({
        opsets: { 'ai.onnx': 17, 'ai.onnx.ml': 3 },
        graph: {
          inputs: x('batch', 4),
          nodes: [
            node('TreeEnsembleRegressor', {
              domain: 'ai.onnx.ml',
              inputs: ['X'],
              attributes: {
                nodes_treeids: { ints: [0, 0, 0, 0, 0] },
                nodes_nodeids: { ints: [0, 1, 2, 3, 4] },
                nodes_modes: { strings: ['BRANCH_LEQ', 'BRANCH_LEQ', 'LEAF', 'LEAF', 'LEAF'] },
                nodes_truenodeids: { ints: yes },
                nodes_falsenodeids: { ints: no },
              },
            }),
          ],
        },
      });
    expect(tree([1, 2, 0, 0, 0], [4, 3, 0, 0, 0]).operations).toBe(2);
    expect(tree([1, 0, 0, 0, 0], [4, 3, 0, 0, 0]).unknown).toHaveLength(1);
    expect(tree([1, 1, 0, 0, 0], [4, 3, 0, 0, 0]).unknown).toHaveLength(1);
  });

  it('is none of a shape that the graph itself makes less than nothing', () => {
    const graph: GraphToWrite = {
      nodes: [
        { operator: 'TopK', inputs: ['i'], outputs: ['a'] },
        { operator: 'Reshape', inputs: ['a', 'a'], outputs: ['b'] },
        { operator: 'Reshape', inputs: ['i', 'k'], outputs: ['c'] },
        { operator: 'Concat', inputs: ['c', 'c'], outputs: ['d'] },
      ],
      inputs: [{ name: 'X', type: 'float32', shape: ['batch', 4] }],
      initializers: [
        { name: 'i', type: 'int64', dims: [0], integers: [] },
        { name: 'k', type: 'int64', dims: [1], integers: [-2] },
      ],
    };
    expect(Number.isFinite(of({ graph }).operations)).toBe(true);
  });

  it('never keeps the facts from being read, whatever nodes, shapes and attributes a file has', () => {
    const operators = [
      'MatMul',
      'Conv',
      'Reshape',
      'Slice',
      'Concat',
      'Gather',
      'Split',
      'LSTM',
      'Einsum',
      'Resize',
      'TopK',
      'Pad',
      'constructor',
      'Squeeze',
      'Unsqueeze',
      'Transpose',
      'Range',
      'Where',
      'ReduceSum',
      'MaxPool',
    ];
    const names = fc.constantFrom('X', 'w', 'i', 'a', 'b', 'c', '');
    const some = fc.array(names, { maxLength: 4 });
    const ints = fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 5 });
    const attributes = fc.record(
      {
        axis: fc.record({ int: fc.integer({ min: -9, max: 9 }) }),
        perm: ints.map((each) => ({ ints: each })),
        pads: ints.map((each) => ({ ints: each })),
        axes: ints.map((each) => ({ ints: each })),
        kernel_shape: ints.map((each) => ({ ints: each })),
        equation: fc.string().map((string) => ({ string })),
      },
      { requiredKeys: [] },
    );
    const nodes = fc.array(
      fc.record({ operator: fc.constantFrom(...operators), inputs: some, outputs: some, attributes }),
      { maxLength: 12 },
    );
    const shape = fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom('batch', '?')), { maxLength: 4 });
    fc.assert(
      fc.property(nodes, shape, ints, (written, of4, values) => {
        const graph: GraphToWrite = {
          nodes: written as readonly NodeToWrite[],
          inputs: [{ name: 'X', type: 'float32', shape: of4 }],
          initializers: [w, { name: 'i', type: 'int64', dims: [values.length], integers: values }],
        };
        const { operations } = of({ graph });
        expect(Number.isFinite(operations)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
