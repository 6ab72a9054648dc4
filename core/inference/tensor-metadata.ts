import { isRunnable, type TensorSpec } from '../onnx/index.ts';
import { excerpt } from '../text/index.ts';
import { datatypeOf, elementTypeOf } from './datatype.ts';

/** One input or output in a model's metadata, over HTTP and gRPC alike. A size that is open is -1. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/**
 * A model's inputs or outputs for its metadata. Left out is what no request can give or ask for: sequences and maps (which the protocol
 * has no datatype for) and types without an array. Where the file does not say how many dimensions there are, the shape is `[-1]`, as in
 * a Triton configuration.
 */
export function tensorMetadata(specs: readonly TensorSpec[]): readonly TensorMetadata[] {
  return specs.flatMap(({ name, type, shape, unranked }) =>
    isRunnable(type)
      ? [
          {
            name,
            datatype: datatypeOf(type),
            shape: unranked === true ? [-1] : shape.map((size) => (typeof size === 'number' ? size : -1)),
          },
        ]
      : [],
  );
}

const mostTensors = 10_000;

/**
 * Reads inputs or outputs of a stranger's metadata, forgivingly: undefined when there are none or they are not a list; an entry without
 * a name is passed over; a datatype that is missing or unknown becomes `opaque(...)`, sizes that are no whole numbers become open.
 */
export function specsOfMetadata(value: unknown): readonly TensorSpec[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const specs = value.slice(0, mostTensors).flatMap((entry: unknown): readonly TensorSpec[] => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { name, datatype, shape } = entry as Readonly<Record<string, unknown>>;
    if (typeof name !== 'string') return [];
    const type = elementTypeOf(typeof datatype === 'string' ? excerpt(datatype, 40).replace(/^TYPE_/, '') : 'untyped');
    if (!Array.isArray(shape)) return [{ name, type, shape: [], unranked: true }];
    return [{ name, type, shape: shape.map(sizeOf) }];
  });
  return specs.length === 0 ? undefined : specs;
}

function sizeOf(size: unknown): number | string {
  // Some servers write 64-bit integers as text, as protobuf's JSON does.
  const number = typeof size === 'string' && /^-?\d{1,15}$/.test(size) ? Number(size) : size;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : '?';
}
