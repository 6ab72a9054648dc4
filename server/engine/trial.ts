import { type Feeds, isRunnable, type Outputs, type Tensor, type TensorSpec } from '../../core/onnx/index.ts';
import { SluiceError } from '../../core/problem/index.ts';
import { hasRows, joinFeeds, splitOutputs } from './batch.ts';
import { freeSizes, syntheticFeeds } from './synthetic-feeds.ts';

/** What running a model on made-up inputs showed. */
export interface Trial {
  /** Rows that run together give what they give alone. */
  readonly batches: boolean;
  /** Milliseconds of the longest kind of run it will have (a full batch, where it batches), warm: the shortest seen of that kind. */
  readonly runMs: number;
  /** What to warm the model up with wherever it is loaded: a full batch, where it batches. Undefined when there is nothing it takes. */
  readonly warmUp: { readonly feeds: Feeds; readonly names: readonly string[] } | undefined;
  /** Why the model takes none of the made-up inputs. */
  readonly failure?: string;
}

type Run = (feeds: Feeds, names: readonly string[]) => Promise<Outputs>;

const rowsCompared = 8;

/**
 * Runs a model on made-up inputs: to warm it up, to time it, and to find whether requests may be joined. They may when every input and
 * output has a free first dimension, every output has a row for each row given, and rows joined give the same as rows alone: whole
 * numbers, words and truth values exactly, fractions within `tolerances` (a matrix product of many rows may add up in another order than
 * that of one). A model that mixes rows (a mean over the batch, a softmax along the first dimension) fails that and is run row by row.
 */
export async function tryModel(
  { inputs, outputs }: { readonly inputs: readonly TensorSpec[]; readonly outputs: readonly TensorSpec[] },
  run: Run,
  { maxBatchSize, warmUpRuns }: { readonly maxBatchSize: number; readonly warmUpRuns: number },
): Promise<Trial> {
  const names = outputs.filter(({ type }) => isRunnable(type)).map(({ name }) => name);
  let size: number | undefined;
  let failure = '';
  for (const candidate of inputs.some(hasOtherFreeSizes) ? freeSizes : freeSizes.slice(0, 1)) {
    try {
      await run(syntheticFeeds(inputs, 1, candidate, 0), names);
      size = candidate;
      break;
    } catch (cause) {
      failure = refusal(cause);
    }
  }
  if (size === undefined) return { batches: false, runMs: 0, warmUp: undefined, failure };
  const mayBatch = maxBatchSize > 1 && inputs.length > 0 && [...inputs, ...outputs].every(hasFreeRows);
  const batches = mayBatch && (await rowsRunAlike(inputs, names, size, Math.min(maxBatchSize, rowsCompared), run));
  const feeds = syntheticFeeds(inputs, batches ? maxBatchSize : 1, size, 1);
  let runMs = Number.POSITIVE_INFINITY;
  for (let done = 0; done < Math.max(1, warmUpRuns); done++) {
    const start = performance.now();
    try {
      await run(feeds, names);
    } catch (cause) {
      return { batches: false, runMs: 0, warmUp: undefined, failure: refusal(cause) };
    }
    runMs = Math.min(runMs, performance.now() - start);
  }
  return { batches, runMs, warmUp: { feeds, names } };
}

/** What ONNX Runtime said against the inputs. */
function refusal(cause: unknown): string {
  if (cause instanceof SluiceError) {
    const [{ code, message, found }] = cause.problems;
    if (code === 'run-failed') return found ?? message;
  }
  throw cause;
}

function hasFreeRows({ shape, unranked }: TensorSpec): boolean {
  return unranked !== true && typeof shape[0] === 'string';
}

function hasOtherFreeSizes({ shape, unranked }: TensorSpec): boolean {
  return unranked === true || shape.slice(1).some((given) => typeof given === 'string');
}

async function rowsRunAlike(
  inputs: readonly TensorSpec[],
  names: readonly string[],
  size: number,
  count: number,
  run: Run,
): Promise<boolean> {
  const inputNames = inputs.map(({ name }) => name);
  // The last request has two rows: joining must keep those together.
  const rows = Array.from({ length: count }, (_, index) => (index === count - 1 ? 2 : 1));
  const requests = rows.map((each, index) => syntheticFeeds(inputs, each, size, 100 + index));
  const total = count + 1;
  try {
    const alone: Outputs[] = [];
    for (const request of requests) alone.push(await run(request, names));
    const joined = await run(joinFeeds(inputNames, requests), names);
    if (!hasRows(names, joined, total)) return false;
    const parts = splitOutputs(names, joined, rows);
    return alone.every((answer, index) => {
      const part = parts[index];
      return part !== undefined && hasRows(names, answer, rows[index] ?? 0) && sameOutputs(names, answer, part);
    });
  } catch (cause) {
    refusal(cause);
    return false;
  }
}

/** Fractions that differ by less than `absolute + relative * size` count as the same. About a hundred roundings of the type. */
export const tolerances: Readonly<Record<string, { readonly absolute: number; readonly relative: number }>> = {
  float16: { absolute: 1e-2, relative: 1e-2 },
  float32: { absolute: 1e-5, relative: 1e-5 },
  float64: { absolute: 1e-12, relative: 1e-12 },
};

export function sameOutputs(names: readonly string[], a: Outputs, b: Outputs): boolean {
  return names.every((name) => {
    const [left, right] = [a[name], b[name]];
    return left !== undefined && right !== undefined && sameTensor(left, right);
  });
}

function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a.type !== b.type || a.dims.join() !== b.dims.join() || a.data.length !== b.data.length) return false;
  const tolerance = tolerances[a.type];
  for (let index = 0; index < a.data.length; index++) {
    const [left, right] = [a.data[index], b.data[index]];
    if (Object.is(left, right) || left === right) continue;
    if (tolerance === undefined || typeof left !== 'number' || typeof right !== 'number') return false;
    if (!(Math.abs(left - right) <= tolerance.absolute + tolerance.relative * Math.abs(left))) return false;
  }
  return true;
}
