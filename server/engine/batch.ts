import { arrayOf, type Feeds, type Outputs, type Tensor } from '../../core/onnx/index.ts';

/** Numbers in a typed array, whichever: every kind has these. */
interface Numbers {
  readonly length: number;
  subarray(from: number, to: number): Numbers;
  slice(from: number, to: number): Numbers;
  set(values: Numbers, at: number): void;
}

/**
 * Joins requests along their first dimension: the rows of the first, then those of the second, and so on. Types and all other dimensions
 * must be equal. The result shares no memory with what was given.
 */
export function joinFeeds(names: readonly string[], requests: readonly Feeds[]): Feeds {
  const joined: Record<string, Tensor> = {};
  for (const name of names) joined[name] = joinTensors(name, requests);
  return joined;
}

function joinTensors(name: string, requests: readonly Feeds[]): Tensor {
  let rows = 0;
  let length = 0;
  for (const request of requests) {
    const tensor = request[name];
    if (tensor === undefined) throw new TypeError(`a request lacks ${JSON.stringify(name)}`);
    rows += tensor.dims[0] ?? 0;
    length += tensor.data.length;
  }
  const first = requests[0]?.[name];
  if (first === undefined) throw new TypeError('no requests to join');
  const dims = first.dims.slice();
  dims[0] = rows;
  if (first.type === 'string') {
    const data = requests.flatMap((request) => request[name]?.data as readonly string[]);
    return { type: 'string', data, dims };
  }
  const data = new arrayOf[first.type](length);
  let at = 0;
  for (const request of requests) {
    // Every request's values were found to be in the array that belongs to the type.
    const values = request[name]?.data as unknown as Numbers;
    (data as unknown as Numbers).set(values, at);
    at += values.length;
  }
  return { type: first.type, data, dims } as Tensor;
}

/** Whether every output has one row for each row that was given, so that it can be taken apart. */
export function hasRows(names: readonly string[], outputs: Outputs, rows: number): boolean {
  for (const name of names) if (outputs[name]?.dims[0] !== rows) return false;
  return true;
}

/** The outputs of each request, whose rows are `counts`, out of those of all. Views, not copies: one answer keeps the memory of all. */
export function splitOutputs(
  names: readonly string[],
  outputs: Outputs,
  counts: readonly number[],
): readonly Outputs[] {
  const answers = counts.map((): Record<string, Tensor> => ({}));
  for (const name of names) {
    const tensor = outputs[name];
    if (tensor === undefined) throw new TypeError(`there is no output ${JSON.stringify(name)}`);
    const rows = tensor.dims[0] ?? 0;
    const stride = rows === 0 ? 0 : tensor.data.length / rows;
    const { type } = tensor;
    const data = tensor.data as unknown as Numbers;
    let at = 0;
    let dims: number[] = [];
    for (let index = 0; index < answers.length; index++) {
      const count = counts[index] ?? 0;
      // Answers of as many rows share one array of dimensions.
      if (dims[0] !== count) {
        dims = tensor.dims.slice();
        dims[0] = count;
      }
      const end = at + count * stride;
      const part = type === 'string' ? data.slice(at, end) : data.subarray(at, end);
      const answer = answers[index];
      if (answer !== undefined) answer[name] = { type, data: part, dims } as unknown as Tensor;
      at = end;
    }
  }
  return answers;
}

/** The same values in memory of their own, to be kept or given to another thread. */
export function copyTensors(tensors: Feeds): Record<string, Tensor> {
  const copies: Record<string, Tensor> = {};
  for (const name of Object.keys(tensors)) {
    const tensor = tensors[name];
    if (tensor !== undefined) copies[name] = { ...tensor, data: tensor.data.slice(), dims: [...tensor.dims] } as Tensor;
  }
  return copies;
}

/** Bytes that tensors take, about. */
export function bytesOf(tensors: Feeds): number {
  let bytes = 0;
  for (const { data } of Object.values(tensors)) {
    if (ArrayBuffer.isView(data)) bytes += data.byteLength;
    else for (const text of data) bytes += 2 * text.length + 16;
  }
  return bytes;
}

/** The memory of tensors that are nobody else's, to be given to another thread with them; each once. */
export function buffersOf(tensors: Feeds): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of Object.values(tensors)) {
    if (ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer) buffers.add(data.buffer);
  }
  return [...buffers];
}
