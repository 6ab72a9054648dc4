import { dataTypeOf, elementLayout, type TypedField } from './element-type.ts';
import {
  type AttributeRecord,
  type GraphRecord,
  mostKeptValues,
  type NodeRecord,
  Room,
  type TensorRecord,
} from './graph-record.ts';
import type { TensorSpec } from './tensor.ts';
import { bytes, fixed32, fixed64, varint, WireError, type WireReader } from './wire-reader.ts';

/** A version of an operator set a model asks for. The standard set, which files write as an empty name, is `ai.onnx`. */
export interface Opset {
  readonly domain: string;
  readonly version: number;
}

/** A tensor's claim on a file beside the model. Entries are as the file has them: nothing is checked yet. */
export interface ExternalClaim {
  readonly tensor: string;
  readonly entries: readonly (readonly [key: string, value: string])[];
  /** Bytes the tensor's shape and type need; undefined when they make no sense. */
  readonly bytes: number | undefined;
}

/** Kind of node: which operator of which domain, and how many there are of it. */
export interface OperatorUse {
  readonly domain: string;
  readonly operator: string;
  readonly count: number;
}

/** Initializers of one element type together. */
export interface ElementUse {
  /** `unknown` where ONNX does not define it. */
  readonly type: string;
  readonly tensors: number;
  readonly elements: number;
  /** As stored: two four-bit numbers share a byte. 0 for strings, whose size is not read. */
  readonly bytes: number;
}

/** Something a tensor or graph declares that its bytes do not bear out. */
export interface Contradiction {
  readonly code: string;
  readonly message: string;
  readonly found?: string;
  readonly expected?: string;
}

/** What one pass over a model file finds. */
export interface Structure {
  readonly irVersion: number;
  readonly producer: string;
  readonly domain: string;
  readonly modelVersion: number;
  readonly opsets: readonly Opset[];
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly parameters: number;
  readonly operators: readonly OperatorUse[];
  /** Of all initializers, subgraphs included; the largest first. */
  readonly elements: readonly ElementUse[];
  readonly graph: GraphRecord;
  /** `domain operator` of the functions the model itself defines. */
  readonly functions: ReadonlySet<string>;
  readonly externalClaims: readonly ExternalClaim[];
  readonly contradictions: readonly Contradiction[];
}

export interface StructureLimits {
  /** A tensor that would take more memory than this, dense, is refused. */
  readonly tensorBytes: number;
}

/** As deep as protobuf's own limit of 100 nested messages lets subgraphs be: graph, node and attribute are three. */
const deepestGraph = 33;
const deepestType = 16;
/** Above the largest real models by far; bounds memory and the length of messages. */
const mostDistinctOperators = 10_000;
const mostClaims = 200_000;
const mostContradictions = 20;
const mostDimensions = 1000;

/** Texts of attributes that shapes depend on are words: `SAME_UPPER`, an equation of Einsum. */
const longestOption = 1000;
/** Long lists of classical models that say nothing of their cost. */
const unused = /^(class|target|nodes_featureids|nodes_missing|leaf_target|classlabels|members)/;

const field = (number: number, kind: number): number => (number << 3) | kind;

/** `domain operator`, the form `Structure.functions` holds. */
export function functionKey(domain: string, operator: string): string {
  return `${domain} ${operator}`;
}

/** The standard domain has two spellings. */
function namedDomain(domain: string): string {
  return domain === '' ? 'ai.onnx' : domain;
}

/** Walks a whole model. Throws a WireError when the bytes are not an ONNX model. Message numbers: onnx/onnx.proto of ONNX 1.23. */
export function readStructure(reader: WireReader, limits: StructureLimits): Structure {
  return new Walk(reader, limits).model();
}

interface GraphParts {
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  readonly initialized: Set<string>;
  readonly nodes: NodeRecord[];
  readonly initializers: Map<string, TensorRecord>;
  readonly declared: Map<string, TensorSpec>;
}

class Walk {
  readonly #reader: WireReader;
  readonly #limits: StructureLimits;
  readonly #operators = new Map<string, { domain: string; operator: string; count: number }>();
  readonly #functions = new Set<string>();
  readonly #claims: ExternalClaim[] = [];
  readonly #contradictions: Contradiction[] = [];
  readonly #elements = new Map<string, { type: string; tensors: number; elements: number; bytes: number }>();
  readonly #bodies = new Map<string, ReadonlySet<string>>();
  readonly #room = new Room();
  /** What the subgraph or function that is walked now consists of; undefined in the main graph. */
  #within: Set<string> | undefined;
  #parameters = 0;

  constructor(reader: WireReader, limits: StructureLimits) {
    this.#reader = reader;
    this.#limits = limits;
  }

  model(): Structure {
    const reader = this.#reader;
    const end = reader.size;
    const opsets = new Map<string, Opset>();
    const graph: GraphParts = {
      inputs: [],
      outputs: [],
      initialized: new Set(),
      nodes: [],
      initializers: new Map(),
      declared: new Map(),
    };
    const producer = { name: '', version: '' };
    let irVersion = 0;
    let domain = '';
    let modelVersion = 0;
    let graphs = 0;
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case field(1, varint):
          irVersion = reader.varint();
          break;
        case field(2, bytes):
          producer.name = reader.text(end);
          break;
        case field(3, bytes):
          producer.version = reader.text(end);
          break;
        case field(4, bytes):
          domain = reader.text(end);
          break;
        case field(5, varint):
          modelVersion = reader.varint();
          break;
        case field(7, bytes):
          this.#once(++graphs, 'graph');
          this.#graph(reader.endOfValue(end), 0, graph);
          break;
        case field(8, bytes): {
          const opset = this.#opset(reader.endOfValue(end));
          opsets.set(`${opset.domain} ${opset.version}`, opset);
          break;
        }
        case field(20, bytes):
          this.#training(reader.endOfValue(end));
          break;
        case field(25, bytes):
          this.#function(reader.endOfValue(end));
          break;
        default:
          reader.skip(tag, end);
      }
    }
    this.#finish(end);
    if (irVersion < 1) throw new WireError('it has no IR version', end);
    if (graphs === 0) throw new WireError('it has no graph', end);
    if (opsets.size === 0) throw new WireError('it names no operator set', end);
    return {
      irVersion,
      producer: `${producer.name} ${producer.version}`.trim(),
      domain,
      modelVersion,
      opsets: [...opsets.values()].sort((a, b) => compare(a.domain, b.domain) || a.version - b.version),
      // Before IR version 4 every initializer was also listed as an input; it is not one a caller has to give.
      inputs: graph.inputs.filter(({ name }) => !graph.initialized.has(name)),
      outputs: graph.outputs,
      parameters: this.#parameters,
      operators: [...this.#operators.values()].sort(
        (a, b) => compare(a.domain, b.domain) || compare(a.operator, b.operator),
      ),
      elements: [...this.#elements.values()].sort((a, b) => b.bytes - a.bytes || compare(a.type, b.type)),
      graph: this.#room.over
        ? { nodes: [], initializers: new Map(), declared: new Map(), functions: new Map(), kept: false }
        : {
            nodes: graph.nodes,
            initializers: graph.initializers,
            declared: graph.declared,
            functions: this.#bodies,
            kept: true,
          },
      functions: this.#functions,
      externalClaims: this.#claims,
      contradictions: this.#contradictions,
    };
  }

  #opset(end: number): Opset {
    const reader = this.#reader;
    let domain = '';
    let version = 0;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === field(1, bytes)) domain = reader.text(end);
      else if (tag === field(2, varint)) version = reader.varint();
      else reader.skip(tag, end);
    }
    this.#finish(end);
    return { domain: namedDomain(domain), version };
  }

  /** Collects inputs, outputs and initializer names only when asked to: those of subgraphs concern nobody outside. */
  #graph(end: number, depth: number, parts?: GraphParts): void {
    if (depth > deepestGraph) throw new WireError('its graphs are nested too deeply', this.#reader.position);
    const reader = this.#reader;
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case field(1, bytes):
          this.#node(reader.endOfValue(end), depth, parts?.nodes);
          break;
        case field(5, bytes): {
          const tensor = this.#tensor(reader.endOfValue(end));
          parts?.initialized.add(tensor.name);
          if (parts !== undefined && this.#keep(tensor.name.length + 100)) {
            parts.initializers.set(tensor.name, tensor.record);
          }
          this.#parameters += tensor.elements;
          this.#count(tensor);
          break;
        }
        case field(13, bytes):
          if (parts === undefined || this.#room.over) reader.skip(tag, end);
          else {
            const declared = this.#valueInfo(reader.endOfValue(end));
            if (this.#keep(2 * declared.name.length + 100)) parts.declared.set(declared.name, declared);
          }
          break;
        case field(15, bytes): {
          const { values, dims } = this.#sparseTensor(reader.endOfValue(end));
          parts?.initialized.add(values.name);
          if (parts !== undefined && this.#keep(values.name.length + 100)) {
            parts.initializers.set(values.name, { dims, dataType: values.record.dataType });
          }
          this.#parameters += values.elements;
          this.#count(values);
          break;
        }
        case field(11, bytes):
          if (parts === undefined) reader.skip(tag, end);
          else parts.inputs.push(this.#valueInfo(reader.endOfValue(end)));
          break;
        case field(12, bytes):
          if (parts === undefined) reader.skip(tag, end);
          else parts.outputs.push(this.#valueInfo(reader.endOfValue(end)));
          break;
        default:
          reader.skip(tag, end);
      }
    }
    this.#finish(end);
  }

  /** `kept` takes the node's record. */
  #node(end: number, depth: number, kept?: NodeRecord[]): void {
    const reader = this.#reader;
    let operator = '';
    let domain = '';
    let weights = 0;
    const inputs: string[] = [];
    const outputs: string[] = [];
    const attributes = new Map<string, AttributeRecord>();
    const outer = this.#within;
    const inner = kept === undefined ? outer : new Set<string>();
    this.#within = inner;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === field(4, bytes)) operator = reader.text(end);
      else if (tag === field(7, bytes)) domain = namedDomain(reader.text(end));
      else if (tag === field(5, bytes)) {
        const attribute = this.#attribute(reader.endOfValue(end), depth);
        weights += attribute.weights;
        if (kept !== undefined && this.#keep(attribute.name.length + 64))
          attributes.set(attribute.name, attribute.record);
      } else if (kept !== undefined && (tag === field(1, bytes) || tag === field(2, bytes))) {
        const name = reader.text(end);
        if (this.#keep(name.length + 16)) (tag === field(1, bytes) ? inputs : outputs).push(name);
      } else reader.skip(tag, end);
    }
    this.#finish(end);
    this.#within = outer;
    domain ||= 'ai.onnx';
    // Classical models have no initializers: their weights, thresholds and leaves are attributes.
    if (domain === 'ai.onnx.ml') this.#parameters += weights;
    const key = functionKey(domain, operator);
    outer?.add(key);
    if (kept !== undefined && this.#keep(operator.length + 200)) {
      kept.push({ operator, domain, inputs, outputs, attributes, inner: inner ?? new Set() });
    }
    const known = this.#operators.get(key);
    if (known !== undefined) known.count++;
    else if (this.#operators.size < mostDistinctOperators) this.#operators.set(key, { domain, operator, count: 1 });
    else throw new WireError(`it has more than ${mostDistinctOperators} different operators`, reader.position);
  }

  /** False once the record of the graph is too large; what is kept of it until then is not used. */
  #keep(size: number): boolean {
    this.#room.take(size);
    return !this.#room.over;
  }

  #count({ record, elements }: TensorFacts): void {
    const layout = elementLayout(record.dataType);
    const type = layout?.type ?? 'unknown';
    const use = this.#elements.get(type) ?? { type, tensors: 0, elements: 0, bytes: 0 };
    use.tensors++;
    use.elements += elements;
    use.bytes += bytesFor(elements, layout?.bits) ?? 0;
    this.#elements.set(type, use);
  }

  /** `weights` is how many numbers that training chose it holds: floats, in a list or a tensor. */
  #attribute(
    end: number,
    depth: number,
  ): { readonly name: string; readonly weights: number; readonly record: AttributeRecord } {
    const reader = this.#reader;
    let name = '';
    let floats = 0;
    let ofTensors = 0;
    let tensors = 0;
    let graphs = 0;
    let sparse = 0;
    let texts = 0;
    let int: number | undefined;
    let text: string | undefined;
    let tensor: TensorRecord | undefined;
    const ints: number[] = [];
    const integer = (): void => {
      const value = reader.varint();
      if (!unused.test(name) && this.#keep(8)) ints.push(value);
    };
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case field(3, varint):
          int = reader.varint();
          break;
        case field(4, bytes): {
          const valueEnd = reader.endOfValue(end);
          text = reader.shortText(valueEnd, longestOption);
          reader.seek(valueEnd);
          break;
        }
        case field(8, varint):
          integer();
          break;
        case field(8, bytes): {
          const valueEnd = reader.endOfValue(end);
          while (reader.position < valueEnd) integer();
          this.#finish(valueEnd);
          break;
        }
        case field(9, bytes): {
          texts++;
          const valueEnd = reader.endOfValue(end);
          // Of trees it matters which nodes are leaves.
          if (name === 'nodes_modes' && this.#keep(8)) ints.push(reader.shortText(valueEnd, 16) === 'LEAF' ? 0 : 1);
          reader.seek(valueEnd);
          break;
        }
        case field(7, fixed32):
          floats++;
          reader.skip(tag, end);
          break;
        case field(7, bytes): {
          const valueEnd = reader.endOfValue(end);
          floats += (valueEnd - reader.position) / 4;
          reader.seek(valueEnd);
          break;
        }
        case field(1, bytes):
          name = reader.text(end);
          break;
        case field(5, bytes): {
          this.#once(++tensors, 'tensor of an attribute');
          const facts = this.#tensor(reader.endOfValue(end));
          tensor = facts.record;
          ofTensors += this.#floatsOf(facts);
          break;
        }
        case field(10, bytes):
          ofTensors += this.#floatsOf(this.#tensor(reader.endOfValue(end)));
          break;
        case field(6, bytes):
          this.#once(++graphs, 'graph of an attribute');
          this.#graph(reader.endOfValue(end), depth + 1);
          break;
        case field(11, bytes):
          this.#graph(reader.endOfValue(end), depth + 1);
          break;
        case field(22, bytes):
          this.#once(++sparse, 'sparse tensor of an attribute');
          this.#sparseTensor(reader.endOfValue(end));
          break;
        case field(23, bytes):
          this.#sparseTensor(reader.endOfValue(end));
          break;
        default:
          reader.skip(tag, end);
      }
    }
    this.#finish(end);
    return {
      name,
      // How often each node was hit in training is bookkeeping that no prediction reads.
      weights: /^nodes_hitrates/.test(name) ? 0 : Math.floor(floats + ofTensors),
      record: {
        ...(int === undefined ? {} : { int }),
        ...(ints.length === 0 ? {} : { ints }),
        ...(text === undefined ? {} : { text }),
        ...(tensor === undefined ? {} : { tensor }),
        ...(floats === 0 ? {} : { floats: Math.floor(floats) }),
        ...(texts === 0 ? {} : { texts }),
      },
    };
  }

  #floatsOf({ elements, record }: TensorFacts): number {
    return elementLayout(record.dataType)?.type.startsWith('float') === true ? elements : 0;
  }

  #function(end: number): void {
    const reader = this.#reader;
    let name = '';
    let domain = '';
    const body = new Set<string>();
    this.#within = body;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === field(1, bytes)) name = reader.text(end);
      else if (tag === field(10, bytes)) domain = reader.text(end);
      else if (tag === field(7, bytes)) this.#node(reader.endOfValue(end), 1);
      else if (tag === field(11, bytes)) this.#attribute(reader.endOfValue(end), 1);
      else reader.skip(tag, end);
    }
    this.#finish(end);
    this.#within = undefined;
    this.#bodies.set(functionKey(namedDomain(domain), name), body);
    if (this.#functions.size >= mostDistinctOperators) {
      throw new WireError(`it defines more than ${mostDistinctOperators} functions`, reader.position);
    }
    this.#functions.add(functionKey(namedDomain(domain), name));
  }

  #training(end: number): void {
    const reader = this.#reader;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === field(1, bytes) || tag === field(2, bytes)) this.#graph(reader.endOfValue(end), 1);
      else reader.skip(tag, end);
    }
    this.#finish(end);
  }

  #valueInfo(end: number): TensorSpec {
    const reader = this.#reader;
    let name = '';
    let type: Omit<TensorSpec, 'name'> | undefined;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === field(1, bytes)) name = reader.text(end);
      else if (tag === field(2, bytes)) type = this.#type(reader.endOfValue(end), 0);
      else reader.skip(tag, end);
    }
    this.#finish(end);
    return { name, ...(type ?? { type: 'opaque(untyped)', shape: [], unranked: true }) };
  }

  #type(end: number, depth: number): Omit<TensorSpec, 'name'> {
    if (depth > deepestType) throw new WireError('its types are nested too deeply', this.#reader.position);
    const reader = this.#reader;
    const composite = (type: Exclude<TensorSpec['type'], undefined>): Omit<TensorSpec, 'name'> => ({
      type,
      shape: [],
      unranked: true,
    });
    let type: Omit<TensorSpec, 'name'> = composite('opaque(untyped)');
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case field(1, bytes):
          type = this.#tensorType(reader.endOfValue(end));
          break;
        case field(4, bytes):
          type = composite(`sequence(${this.#wrappedType(reader.endOfValue(end), depth)})`);
          break;
        case field(5, bytes):
          type = composite(`map(${this.#wrappedType(reader.endOfValue(end), depth)})`);
          break;
        case field(9, bytes):
          type = composite(`optional(${this.#wrappedType(reader.endOfValue(end), depth)})`);
          break;
        case field(8, bytes):
          type = composite(`sparse(${this.#tensorType(reader.endOfValue(end)).type})`);
          break;
        case field(7, bytes):
          reader.skip(tag, end);
          type = composite('opaque(custom)');
          break;
        default:
          reader.skip(tag, end);
      }
    }
    this.#finish(end);
    return type;
  }

  /** Sequence and Optional hold their element's type in field 1; Map holds its key's type as a number there and the value's in 2. */
  #wrappedType(end: number, depth: number): string {
    const reader = this.#reader;
    const parts: string[] = [];
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === field(1, varint)) parts.push(elementLayout(reader.varint())?.type ?? 'unknown');
      else if (tag === field(1, bytes) || tag === field(2, bytes)) {
        const { type } = this.#type(reader.endOfValue(end), depth + 1);
        parts.push(type.includes('(') ? type : `tensor(${type})`);
      } else reader.skip(tag, end);
    }
    this.#finish(end);
    return parts.slice(0, 2).join(', ');
  }

  #tensorType(end: number): Omit<TensorSpec, 'name'> {
    const reader = this.#reader;
    let dataType = 0;
    let shape: (number | string)[] | undefined;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === field(1, varint)) dataType = reader.varint();
      else if (tag === field(2, bytes)) {
        const shapeEnd = reader.endOfValue(end);
        shape = [];
        while (reader.position < shapeEnd) {
          const inner = reader.tag();
          if (inner === field(1, bytes)) shape.push(this.#dimension(reader.endOfValue(shapeEnd)));
          else reader.skip(inner, shapeEnd);
        }
        this.#finish(shapeEnd);
      } else reader.skip(tag, end);
    }
    this.#finish(end);
    const type = elementLayout(dataType)?.type ?? 'opaque(undefined)';
    return shape === undefined ? { type, shape: [], unranked: true } : { type, shape };
  }

  #dimension(end: number): number | string {
    const reader = this.#reader;
    let size: number | string = '?';
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === field(1, varint)) size = reader.varint();
      else if (tag === field(2, bytes)) size = reader.text(end) || '?';
      else reader.skip(tag, end);
    }
    this.#finish(end);
    // Some exporters write -1 for "any size".
    return typeof size === 'number' && size < 0 ? '?' : size;
  }

  #sparseTensor(end: number): { readonly values: TensorFacts; readonly dims: readonly number[] } {
    const reader = this.#reader;
    const dims: number[] = [];
    let values: TensorFacts = { name: '', elements: 0, record: { dims: [], dataType: dataTypeOf('float32') } };
    let valueCount = 0;
    let indexCount = 0;
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === field(1, bytes)) {
        this.#once(++valueCount, 'values of a sparse tensor');
        values = this.#tensor(reader.endOfValue(end));
      } else if (tag === field(2, bytes)) {
        this.#once(++indexCount, 'indices of a sparse tensor');
        this.#tensor(reader.endOfValue(end));
      } else if (!this.#dims(tag, 3, end, dims)) reader.skip(tag, end);
    }
    this.#finish(end);
    // ONNX Runtime makes sparse initializers dense when it loads them: a few bytes can ask for any amount of memory.
    const dense = bytesFor(product(dims), elementLayout(values.record.dataType)?.bits);
    if (dense === undefined || dense > this.#limits.tensorBytes) this.#tooLarge(values.name, dims, dense);
    return { values, dims };
  }

  #tensor(end: number): TensorFacts {
    const reader = this.#reader;
    const dims: number[] = [];
    const entries: [string, string][] = [];
    const counts: Record<TypedField, number> = { float: 0, int32: 0, int64: 0, double: 0, uint64: 0, string: 0 };
    let dataType = 0;
    let name = '';
    let raw: number | undefined;
    let external = false;
    let few: Buffer | undefined;
    const values: number[] = [];
    const list = (tag: number, kind: TypedField, unpacked: number): void => {
      if ((tag & 7) === unpacked) {
        counts[kind]++;
        if (unpacked === varint && values.length < mostKeptValues) values.push(reader.varint());
        else reader.skip(tag, end);
        return;
      }
      const valueEnd = reader.endOfValue(end);
      if (unpacked === varint && valueEnd - reader.position <= mostKeptValues) {
        while (reader.position < valueEnd) {
          values.push(reader.varint());
          counts[kind]++;
        }
        this.#finish(valueEnd);
      } else if (unpacked === varint) counts[kind] += reader.countVarints(valueEnd);
      else if (kind === 'float' && valueEnd - reader.position <= mostKeptValues) {
        const floats = reader.few(valueEnd);
        counts[kind] += floats.length / 4;
        if (floats.length % 4 === 0) values.push(...(rawValues(floats, dataTypeOf('float32')) ?? []));
      } else counts[kind] += (valueEnd - reader.position) / (unpacked === fixed32 ? 4 : 8);
      reader.seek(valueEnd);
    };
    while (reader.position < end) {
      const tag = reader.tag();
      switch (tag) {
        case field(2, varint):
          dataType = reader.varint();
          break;
        case field(4, fixed32):
        case field(4, bytes):
          list(tag, 'float', fixed32);
          break;
        case field(5, varint):
        case field(5, bytes):
          list(tag, 'int32', varint);
          break;
        case field(6, bytes):
          counts.string++;
          reader.skip(tag, end);
          break;
        case field(7, varint):
        case field(7, bytes):
          list(tag, 'int64', varint);
          break;
        case field(8, bytes):
          name = reader.text(end);
          break;
        case field(9, bytes): {
          const valueEnd = reader.endOfValue(end);
          raw = valueEnd - reader.position;
          if (raw <= 8 * mostKeptValues) few = reader.few(valueEnd);
          reader.seek(valueEnd);
          break;
        }
        case field(10, fixed64):
        case field(10, bytes):
          list(tag, 'double', fixed64);
          break;
        case field(11, varint):
        case field(11, bytes):
          list(tag, 'uint64', varint);
          break;
        case field(13, bytes):
          entries.push(this.#entry(reader.endOfValue(end)));
          break;
        case field(14, varint):
          external = reader.varint() !== 0;
          break;
        default:
          if (!this.#dims(tag, 1, end, dims)) reader.skip(tag, end);
      }
    }
    this.#finish(end);
    this.#check({ name, dataType, dims, raw, counts, external, entries });
    const elements = product(dims) ?? 0;
    const known = few === undefined ? values : (rawValues(few, dataType) ?? []);
    const whole = known.length === elements && elements <= mostKeptValues && this.#keep(8 * elements);
    return { name, elements, record: { dims, dataType, ...(whole ? { values: known } : {}) } };
  }

  /** Sizes, one by one or packed: field 1 of a dense tensor, 3 of a sparse one. False when the tag is another field's. */
  #dims(tag: number, number: 1 | 3, end: number, dims: number[]): boolean {
    const reader = this.#reader;
    if (tag === field(number, varint)) {
      dims.push(reader.varint());
    } else if (tag === field(number, bytes)) {
      const valueEnd = reader.endOfValue(end);
      while (reader.position < valueEnd && dims.length <= mostDimensions) dims.push(reader.varint());
      if (dims.length <= mostDimensions) this.#finish(valueEnd);
    } else return false;
    if (dims.length > mostDimensions) throw new WireError('a tensor has too many dimensions', reader.position);
    return true;
  }

  #entry(end: number): [string, string] {
    const reader = this.#reader;
    let key = '';
    let value = '';
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === field(1, bytes)) key = reader.text(end);
      else if (tag === field(2, bytes)) value = reader.text(end);
      else reader.skip(tag, end);
    }
    this.#finish(end);
    return [key, value];
  }

  /** Whether the values a tensor declares are there: ONNX Runtime may allocate by the declaration before it looks. */
  #check(tensor: {
    readonly name: string;
    readonly dataType: number;
    readonly dims: readonly number[];
    readonly raw: number | undefined;
    readonly counts: Readonly<Record<TypedField, number>>;
    readonly external: boolean;
    readonly entries: readonly (readonly [string, string])[];
  }): void {
    const { name, dims, raw, counts, entries } = tensor;
    const layout = elementLayout(tensor.dataType);
    const elements = product(dims);
    const needed = bytesFor(elements, layout?.bits);
    const elsewhere = tensor.external || entries.length > 0;
    if (elsewhere) {
      // First of all, so that no other fault of a tensor hides which file it wants.
      if (this.#claims.length >= mostClaims)
        throw new WireError('it has too many external tensors', this.#reader.position);
      this.#claims.push({ tensor: name, entries, bytes: needed });
    }
    if (layout === undefined) {
      this.#contradict({
        code: 'unknown-element-type',
        message: `tensor ${quoted(name)} has an element type ONNX does not define`,
        found: String(tensor.dataType),
      });
      return;
    }
    if (elements === undefined) {
      this.#contradict({
        code: 'bad-tensor-shape',
        message: `tensor ${quoted(name)} has an impossible shape`,
        found: shown(dims),
      });
      return;
    }
    if (elsewhere) return;
    if (raw !== undefined && layout.bits !== undefined) {
      if (raw === needed) return;
    } else if (counts[layout.field] === Math.ceil(elements * layout.entries)) return;
    this.#contradict({
      code: 'tensor-size-mismatch',
      message: `tensor ${quoted(name)} does not hold the values its shape declares`,
      found: raw === undefined ? `${counts[layout.field]} values` : `${raw} bytes`,
      expected:
        raw === undefined
          ? `${Math.ceil(elements * layout.entries)} for ${layout.type} ${shown(dims)}`
          : `${needed ?? 'no'} bytes for ${layout.type} ${shown(dims)}`,
    });
  }

  #tooLarge(name: string, dims: readonly number[], dense: number | undefined): void {
    this.#contradict({
      code: 'tensor-too-large',
      message: `sparse tensor ${quoted(name)} is too large once it is dense`,
      found: dense === undefined ? shown(dims) : `${shown(dims)} (${dense} bytes)`,
      expected: `at most ${this.#limits.tensorBytes} bytes`,
    });
  }

  #contradict(contradiction: Contradiction): void {
    if (this.#contradictions.length < mostContradictions) this.#contradictions.push(contradiction);
  }

  /** protobuf merges a message that comes twice; writers never do that, and two readers could then see two models. */
  #once(count: number, what: string): void {
    if (count > 1) throw new WireError(`it has a second ${what} where only one can be`, this.#reader.position);
  }

  #finish(end: number): void {
    if (this.#reader.position !== end)
      throw new WireError('a message does not end where it says', this.#reader.position);
  }
}

interface TensorFacts {
  readonly name: string;
  readonly elements: number;
  readonly record: TensorRecord;
}

/** Few numbers in raw bytes, of the types that shapes, axes and scales come in. */
function rawValues(bytes: Buffer, dataType: number): readonly number[] | undefined {
  const read: Readonly<Record<string, readonly [size: number, at: (offset: number) => number]>> = {
    int64: [8, (offset) => Number(bytes.readBigInt64LE(offset))],
    int32: [4, (offset) => bytes.readInt32LE(offset)],
    float32: [4, (offset) => bytes.readFloatLE(offset)],
    float64: [8, (offset) => bytes.readDoubleLE(offset)],
    uint8: [1, (offset) => bytes.readUInt8(offset)],
    bool: [1, (offset) => bytes.readUInt8(offset)],
  };
  const [size, at] = read[elementLayout(dataType)?.type ?? ''] ?? [];
  if (size === undefined || at === undefined || bytes.length % size !== 0) return undefined;
  return Array.from({ length: bytes.length / size }, (_, index) => at(index * size));
}

/** Elements of a shape; undefined when a size is negative or the product is no exact number. */
function product(dims: readonly number[]): number | undefined {
  if (dims.some((size) => size < 0 || !Number.isSafeInteger(size))) return undefined;
  // With a zero anywhere there are no elements, however large the rest.
  const elements = dims.includes(0) ? 0 : dims.reduce((count, size) => count * size, 1);
  return Number.isSafeInteger(elements) ? elements : undefined;
}

function bytesFor(elements: number | undefined, bits: number | undefined): number | undefined {
  return elements === undefined || bits === undefined ? undefined : Math.ceil((elements * bits) / 8);
}

function quoted(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

function shown(dims: readonly number[]): string {
  return `[${dims.slice(0, 8).join(', ')}${dims.length > 8 ? ', …' : ''}]`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
