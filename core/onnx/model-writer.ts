import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { dataTypeOf, type ElementType } from './element-type.ts';

/** A tensor to write: values as raw bytes, as floats, integers or strings in their typed field, or in a file beside the model. */
export interface TensorToWrite {
  readonly name?: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly raw?: Uint8Array;
  readonly floats?: readonly number[];
  readonly integers?: readonly number[];
  readonly strings?: readonly string[];
  /** Entries as they are to stand in the file: `{ location: 'model.data', offset: '0', length: '16' }`. */
  readonly external?: Readonly<Record<string, string>>;
}

export type AttributeToWrite =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly string: string }
  | { readonly floats: readonly number[] }
  | { readonly ints: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: TensorToWrite }
  | { readonly graph: GraphToWrite };

export interface NodeToWrite {
  readonly operator: string;
  readonly domain?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeToWrite>>;
}

/** `shape` undefined leaves the number of dimensions open; a name or `?` leaves one size open. */
export interface ValueToWrite {
  readonly name: string;
  readonly type: ElementType | { readonly sequenceOfMaps: readonly [key: ElementType, value: ElementType] };
  readonly shape?: readonly (number | string)[];
}

export interface SparseToWrite {
  readonly values: TensorToWrite;
  readonly indices: TensorToWrite;
  readonly dims: readonly number[];
}

export interface GraphToWrite {
  readonly nodes: readonly NodeToWrite[];
  readonly inputs?: readonly ValueToWrite[];
  readonly outputs?: readonly ValueToWrite[];
  readonly initializers?: readonly TensorToWrite[];
  readonly sparse?: readonly SparseToWrite[];
  /** Of values inside the graph (`value_info`). */
  readonly declared?: readonly ValueToWrite[];
}

export interface FunctionToWrite {
  readonly name: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly NodeToWrite[];
}

export interface ModelToWrite {
  readonly graph: GraphToWrite;
  /** @default 8 */
  readonly irVersion?: number;
  /** Version by domain; the standard one is written as an empty name. @default { 'ai.onnx': 17 } */
  readonly opsets?: Readonly<Record<string, number>>;
  /** @default ['sluice-test', '1'] */
  readonly producer?: readonly [name: string, version: string];
  readonly functions?: readonly FunctionToWrite[];
}

/** For tests: an ONNX file as bytes. Checks nothing, so that wrong models can be written too. */
export function writeModel(model: ModelToWrite): Uint8Array {
  const { graph, irVersion = 8, opsets = { 'ai.onnx': 17 }, producer = ['sluice-test', '1'], functions = [] } = model;
  const writer = new BinaryWriter().tag(1, WireType.Varint).int64(irVersion);
  text(writer, 2, producer[0]);
  text(writer, 3, producer[1]);
  nested(writer, 7, () => writeGraph(writer, graph));
  writeOpsets(writer, 8, opsets);
  for (const each of functions) {
    nested(writer, 25, () => {
      text(writer, 1, each.name);
      for (const name of each.inputs) text(writer, 4, name);
      for (const name of each.outputs) text(writer, 5, name);
      for (const node of each.nodes) nested(writer, 7, () => writeNode(writer, node));
      writeOpsets(writer, 9, opsets);
      text(writer, 10, each.domain);
    });
  }
  return writer.finish();
}

/** For tests: `Y = X · weights + bias` on float32 `X [?, inputs]`; one row of weights for each input. */
export function linearModel(weights: readonly (readonly number[])[], bias: readonly number[]): Uint8Array {
  const inputs = weights.length;
  const outputs = bias.length;
  return writeModel({
    graph: {
      nodes: [
        { operator: 'MatMul', inputs: ['X', 'weights'], outputs: ['product'] },
        { operator: 'Add', inputs: ['product', 'bias'], outputs: ['Y'] },
      ],
      inputs: [{ name: 'X', type: 'float32', shape: ['batch', inputs] }],
      outputs: [{ name: 'Y', type: 'float32', shape: ['batch', outputs] }],
      initializers: [floatTensor('weights', [inputs, outputs], weights.flat()), floatTensor('bias', [outputs], bias)],
    },
  });
}

/** For tests: softmax regression as skl2onnx names it: `label` int64 [?] and `probabilities` float32 [?, classes] from `X [?, inputs]`. */
export function classifierModel(weights: readonly (readonly number[])[], bias: readonly number[]): Uint8Array {
  const inputs = weights.length;
  const classes = bias.length;
  return writeModel({
    graph: {
      nodes: [
        { operator: 'MatMul', inputs: ['X', 'weights'], outputs: ['product'] },
        { operator: 'Add', inputs: ['product', 'bias'], outputs: ['scores'] },
        { operator: 'Softmax', inputs: ['scores'], outputs: ['probabilities'], attributes: { axis: { int: 1 } } },
        {
          operator: 'ArgMax',
          inputs: ['scores'],
          outputs: ['label'],
          attributes: { axis: { int: 1 }, keepdims: { int: 0 } },
        },
      ],
      inputs: [{ name: 'X', type: 'float32', shape: ['batch', inputs] }],
      outputs: [
        { name: 'label', type: 'int64', shape: ['batch'] },
        { name: 'probabilities', type: 'float32', shape: ['batch', classes] },
      ],
      initializers: [floatTensor('weights', [inputs, classes], weights.flat()), floatTensor('bias', [classes], bias)],
    },
  });
}

/** For tests: a model that gives back what it gets. */
export function identityModel(
  type: ElementType = 'float32',
  shape: readonly (number | string)[] = ['batch', 2],
): Uint8Array {
  return writeModel({
    graph: {
      nodes: [{ operator: 'Identity', inputs: ['X'], outputs: ['Y'] }],
      inputs: [{ name: 'X', type, shape }],
      outputs: [{ name: 'Y', type, shape }],
    },
  });
}

/** For tests: a float32 tensor with its values as raw bytes. */
export function floatTensor(name: string, dims: readonly number[], values: readonly number[]): TensorToWrite {
  return { name, type: 'float32', dims, raw: new Uint8Array(Float32Array.from(values).buffer) };
}

function writeGraph(writer: BinaryWriter, graph: GraphToWrite): void {
  for (const node of graph.nodes) nested(writer, 1, () => writeNode(writer, node));
  text(writer, 2, 'graph');
  for (const tensor of graph.initializers ?? []) nested(writer, 5, () => writeTensor(writer, tensor));
  for (const value of graph.inputs ?? []) nested(writer, 11, () => writeValue(writer, value));
  for (const value of graph.outputs ?? []) nested(writer, 12, () => writeValue(writer, value));
  for (const value of graph.declared ?? []) nested(writer, 13, () => writeValue(writer, value));
  for (const { values, indices, dims } of graph.sparse ?? []) {
    nested(writer, 15, () => {
      nested(writer, 1, () => writeTensor(writer, values));
      nested(writer, 2, () => writeTensor(writer, indices));
      for (const size of dims) writer.tag(3, WireType.Varint).int64(size);
    });
  }
}

function writeNode(writer: BinaryWriter, node: NodeToWrite): void {
  for (const name of node.inputs ?? []) text(writer, 1, name);
  for (const name of node.outputs ?? []) text(writer, 2, name);
  text(writer, 4, node.operator);
  for (const [name, attribute] of Object.entries(node.attributes ?? {})) {
    nested(writer, 5, () => writeAttribute(writer, name, attribute));
  }
  if (node.domain !== undefined) text(writer, 7, node.domain);
}

function writeAttribute(writer: BinaryWriter, name: string, attribute: AttributeToWrite): void {
  text(writer, 1, name);
  const kind = (type: number): BinaryWriter => writer.tag(20, WireType.Varint).int32(type);
  if ('float' in attribute) kind(1).tag(2, WireType.Bit32).float(attribute.float);
  else if ('int' in attribute) kind(2).tag(3, WireType.Varint).int64(attribute.int);
  else if ('string' in attribute) text(kind(3), 4, attribute.string);
  else if ('tensor' in attribute) nested(kind(4), 5, () => writeTensor(writer, attribute.tensor));
  else if ('graph' in attribute) nested(kind(5), 6, () => writeGraph(writer, attribute.graph));
  else if ('floats' in attribute) {
    kind(6);
    for (const value of attribute.floats) writer.tag(7, WireType.Bit32).float(value);
  } else if ('ints' in attribute) {
    kind(7);
    for (const value of attribute.ints) writer.tag(8, WireType.Varint).int64(value);
  } else {
    kind(8);
    for (const value of attribute.strings) text(writer, 9, value);
  }
}

function writeTensor(writer: BinaryWriter, tensor: TensorToWrite): void {
  for (const size of tensor.dims) writer.tag(1, WireType.Varint).int64(size);
  writer.tag(2, WireType.Varint).int32(dataTypeOf(tensor.type));
  if (tensor.floats !== undefined) {
    nested(writer, 4, () => {
      for (const value of tensor.floats ?? []) writer.float(value);
    });
  }
  if (tensor.integers !== undefined) {
    nested(writer, tensor.type === 'int64' ? 7 : 5, () => {
      for (const value of tensor.integers ?? []) writer.int64(value);
    });
  }
  for (const value of tensor.strings ?? []) text(writer, 6, value);
  text(writer, 8, tensor.name ?? '');
  if (tensor.raw !== undefined) writer.tag(9, WireType.LengthDelimited).bytes(tensor.raw);
  if (tensor.external !== undefined) {
    for (const [key, value] of Object.entries(tensor.external)) {
      nested(writer, 13, () => {
        text(writer, 1, key);
        text(writer, 2, value);
      });
    }
    writer.tag(14, WireType.Varint).int32(1);
  }
}

function writeValue(writer: BinaryWriter, { name, type, shape }: ValueToWrite): void {
  text(writer, 1, name);
  nested(writer, 2, () => {
    if (typeof type === 'string') {
      nested(writer, 1, () => writeTensorType(writer, type, shape));
      return;
    }
    const [key, value] = type.sequenceOfMaps;
    nested(writer, 4, () =>
      nested(writer, 1, () =>
        nested(writer, 5, () => {
          writer.tag(1, WireType.Varint).int32(dataTypeOf(key));
          nested(writer, 2, () => nested(writer, 1, () => writeTensorType(writer, value, undefined)));
        }),
      ),
    );
  });
}

function writeTensorType(writer: BinaryWriter, type: ElementType, shape: ValueToWrite['shape']): void {
  writer.tag(1, WireType.Varint).int32(dataTypeOf(type));
  if (shape === undefined) return;
  nested(writer, 2, () => {
    for (const size of shape) {
      nested(writer, 1, () => {
        if (typeof size === 'number') writer.tag(1, WireType.Varint).int64(size);
        else if (size !== '?') text(writer, 2, size);
      });
    }
  });
}

function writeOpsets(writer: BinaryWriter, field: number, opsets: Readonly<Record<string, number>>): void {
  for (const [domain, version] of Object.entries(opsets)) {
    nested(writer, field, () => {
      text(writer, 1, domain === 'ai.onnx' ? '' : domain);
      writer.tag(2, WireType.Varint).int64(version);
    });
  }
}

function nested(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write();
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}
