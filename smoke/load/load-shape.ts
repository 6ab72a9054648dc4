/**
 * How requests are sent. `closed`: so many callers, each with one request at a time. `open`: at a rate (requests a second), whatever the
 * server does, as users who know nothing of one another; `uniform` spaces them evenly, `poisson` as chance does.
 */
export type LoadShape =
  | { readonly mode: 'closed'; readonly concurrency: number; readonly durationMs: number }
  | {
      readonly mode: 'open';
      readonly rate: number;
      readonly durationMs: number;
      /** @default 'uniform' */
      readonly arrivals?: 'uniform' | 'poisson';
    };

/** Throws a RangeError for a shape that cannot be sent. */
export function checkShape(shape: LoadShape): void {
  if (!(shape.durationMs >= 0 && shape.durationMs < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`load cannot last ${shape.durationMs} ms`);
  }
  if (shape.mode === 'closed') {
    if (!(Number.isInteger(shape.concurrency) && shape.concurrency > 0)) {
      throw new RangeError(`there cannot be ${shape.concurrency} callers`);
    }
  } else if (!(shape.rate > 0 && shape.rate < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`requests cannot come at ${shape.rate} a second`);
  }
}
