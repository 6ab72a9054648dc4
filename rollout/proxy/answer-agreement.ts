import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { decodeInferResponse, MessageError } from '../../core/inference/index.ts';
import type { Outputs, Tensor } from '../../core/onnx/index.ts';

/** A whole answer. Header names in small letters. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** How far apart two numbers may be: `absolute + relative · |baseline's|`, as in `numpy.isclose`. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** What differs between two answers to the same question, whatever the models say. Of the outermost object. */
const aside: ReadonlySet<string> = new Set(['id', 'model_name', 'model_version', 'created', 'system_fingerprint']);

/** Bytes of an answer once it is unpacked. */
const mostBytes = 16 * 2 ** 20;

/**
 * Whether the canary answers a question as the baseline does: the same outputs of the Open Inference Protocol (JSON or binary), or the
 * same JSON, numbers within the tolerance; of anything else the same bytes. A canary that fails where the baseline answers disagrees.
 * @returns `undefined` where the baseline did not answer well either, or its answer cannot be read: nothing to compare with
 */
export function answersAgree(baseline: WholeAnswer, canary: WholeAnswer, tolerance: Tolerance): boolean | undefined {
  if (!isGood(baseline)) return undefined;
  if (!isGood(canary)) return false;
  const ours = unpacked(baseline);
  if (ours === undefined) return undefined;
  const theirs = unpacked(canary);
  if (theirs === undefined) return false;
  const outputs = outputsOf(baseline, ours);
  if (outputs !== undefined) {
    const others = outputsOf(canary, theirs);
    return others !== undefined && sameOutputs(others, outputs, tolerance);
  }
  const [one, other] = [jsonOf(ours), jsonOf(theirs)];
  if (one === undefined) return ours.equals(theirs);
  return other !== undefined && sameJson(other.value, one.value, tolerance, aside);
}

function isGood({ status }: WholeAnswer): boolean {
  return status >= 200 && status < 300;
}

function unpacked({ headers, body }: WholeAnswer): Buffer | undefined {
  const coding = String(headers['content-encoding'] ?? 'identity').toLowerCase();
  const limit = { maxOutputLength: mostBytes };
  try {
    if (coding === 'identity' || coding === '') return body;
    if (coding === 'gzip') return gunzipSync(body, limit);
    if (coding === 'deflate') return inflateSync(body, limit);
    return coding === 'br' ? brotliDecompressSync(body, limit) : undefined;
  } catch {
    return undefined;
  }
}

/** Outputs of the Open Inference Protocol; `undefined` for an answer of another kind. */
function outputsOf({ headers }: WholeAnswer, body: Buffer): Outputs | undefined {
  const length = headers['inference-header-content-length'];
  if (length === undefined && !body.includes('"outputs"')) return undefined;
  try {
    return decodeInferResponse(body, typeof length === 'string' ? length : undefined).outputs;
  } catch (cause) {
    if (cause instanceof MessageError) return undefined;
    throw cause;
  }
}

function sameOutputs(canary: Outputs, baseline: Outputs, tolerance: Tolerance): boolean {
  const names = Object.keys(baseline);
  return (
    Object.keys(canary).length === names.length &&
    names.every((name) => {
      const [one, other] = [canary[name], baseline[name]];
      return one !== undefined && other !== undefined && sameTensor(one, other, tolerance);
    })
  );
}

function sameTensor(canary: Tensor, baseline: Tensor, tolerance: Tolerance): boolean {
  if (canary.type !== baseline.type || canary.dims.join() !== baseline.dims.join()) return false;
  const loose = baseline.type === 'float16' || baseline.type === 'float32' || baseline.type === 'float64';
  for (let index = 0; index < baseline.data.length; index++) {
    const [one, other] = [canary.data[index], baseline.data[index]];
    if (one === other) continue;
    if (!(loose && typeof one === 'number' && typeof other === 'number' && isClose(one, other, tolerance)))
      return false;
  }
  return canary.data.length === baseline.data.length;
}

function jsonOf(body: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body.toString('utf8')) };
  } catch {
    return undefined;
  }
}

/** Deeper is nobody's prediction, and a stack has an end. */
const deepest = 64;

function sameJson(
  canary: unknown,
  baseline: unknown,
  tolerance: Tolerance,
  without: ReadonlySet<string> = new Set(),
  depth = 0,
): boolean {
  if (depth > deepest) return false;
  if (typeof canary === 'number' && typeof baseline === 'number') return isClose(canary, baseline, tolerance);
  if (Array.isArray(baseline)) {
    return (
      Array.isArray(canary) &&
      canary.length === baseline.length &&
      baseline.every((value, index) => sameJson(canary[index], value, tolerance, undefined, depth + 1))
    );
  }
  if (typeof baseline === 'object' && baseline !== null) {
    if (typeof canary !== 'object' || canary === null || Array.isArray(canary)) return false;
    const [ours, theirs] = [baseline, canary].map(
      (value) => new Map(Object.entries(value).filter(([key]) => !without.has(key))),
    );
    if (ours === undefined || theirs === undefined || ours.size !== theirs.size) return false;
    return [...ours].every(
      ([key, value]) => theirs.has(key) && sameJson(theirs.get(key), value, tolerance, undefined, depth + 1),
    );
  }
  return canary === baseline;
}

function isClose(canary: number, baseline: number, { absolute, relative }: Tolerance): boolean {
  if (Object.is(canary, baseline) || canary === baseline) return true;
  if (!Number.isFinite(canary) || !Number.isFinite(baseline)) return false;
  return Math.abs(canary - baseline) <= absolute + relative * Math.abs(baseline);
}
