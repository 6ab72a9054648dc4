import type { Tensor } from '../../core/onnx/index.ts';
import { servedShape } from './served-shape.ts';

/** How far a served number may be from the one computed here: `absolute + relative · |here|`. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** One value that is not what it should be; texts for a report. */
export interface Mismatch {
  /** Position in row-major order, from 0. */
  readonly index: number;
  readonly served: string;
  readonly expected: string;
  /** Absent where a difference makes no sense: text, NaN on one side. */
  readonly difference?: number;
}

export interface Comparison {
  /** The type or the shape differs: nothing else could be compared. A clause. */
  readonly misfit?: string;
  readonly mismatches: readonly Mismatch[];
  /** The largest |served - expected| of all pairs that are both finite; 0 where there is none. */
  readonly worst: number;
}

/**
 * Whether two tensors are the same within a tolerance, by the rule of `numpy.allclose(served, expected, equal_nan=True)`:
 * `|served - expected| <= absolute + relative · |expected|`, an infinity equals only itself, NaN equals NaN. Integers, booleans and texts have
 * to be equal. An answer's number type may be wider or narrower than the model's (JSON knows only numbers); text is never a number. A
 * vector may come as a column (`servedShape`).
 */
export function compareTensors(served: Tensor, expected: Tensor, tolerance: Tolerance): Comparison {
  const none = { mismatches: [], worst: 0 };
  if ((served.type === 'string') !== (expected.type === 'string')) {
    return { ...none, misfit: `it is ${served.type}, and the model gives ${expected.type}` };
  }
  if (!sameShape(served.dims, servedShape(expected.dims, served.dims))) {
    return {
      ...none,
      misfit: `its shape is [${served.dims.join(', ')}], and the model gives [${expected.dims.join(', ')}]`,
    };
  }
  if (served.data.length !== expected.data.length) {
    return { ...none, misfit: `it holds ${served.data.length} values, and the model gives ${expected.data.length}` };
  }
  const loose = isFloating(expected);
  const mismatches: Mismatch[] = [];
  let worst = 0;
  for (let index = 0; index < expected.data.length; index++) {
    const [one, other] = [served.data[index], expected.data[index]];
    if (one === other) continue;
    if (typeof one === 'string' || typeof other === 'string') {
      mismatches.push({ index, served: String(one), expected: String(other) });
      continue;
    }
    // Two 64-bit integers that are the same number to a double may still differ.
    const difference =
      typeof one === 'bigint' && typeof other === 'bigint' ? Number(one - other) : Number(one) - Number(other);
    const size = Math.abs(difference);
    if (Number.isFinite(size)) worst = Math.max(worst, size);
    if (loose ? isClose(Number(one), Number(other), tolerance) : size === 0) continue;
    mismatches.push({
      index,
      served: String(one),
      expected: String(other),
      ...(Number.isFinite(size) ? { difference: size } : {}),
    });
  }
  return { mismatches, worst };
}

/** `numpy.isclose(served, expected, rtol=relative, atol=absolute, equal_nan=True)` of two numbers. */
export function isClose(served: number, expected: number, { absolute, relative }: Tolerance): boolean {
  if (served === expected) return true;
  if (Number.isNaN(served) || Number.isNaN(expected)) return Number.isNaN(served) && Number.isNaN(expected);
  if (!Number.isFinite(served) || !Number.isFinite(expected)) return false;
  return Math.abs(served - expected) <= absolute + relative * Math.abs(expected);
}

export function isFloating({ type }: { readonly type: string }): boolean {
  return type === 'float32' || type === 'float64' || type === 'float16';
}

function sameShape(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((size, index) => size === other[index]);
}
