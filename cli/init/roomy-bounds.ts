/** Bounds with room for what a data set like this one will hold tomorrow: a tenth of the range on both sides, rounded outwards. */
export function roomyBounds(least: number, greatest: number): { readonly min: number; readonly max: number } {
  const span = greatest - least || Math.abs(greatest) || 1;
  const step = Math.max(Number.MIN_VALUE, 10 ** (Math.floor(Math.log10(span)) - 1));
  const low = floorTo(least - span / 10, step);
  const high = ceilTo(greatest + span / 10, step);
  // What has never been negative is most likely a quantity that cannot be.
  return { min: least >= 0 ? Math.max(0, low) : low, max: greatest <= 0 ? Math.min(0, high) : high };
}

/** The greatest multiple of `step` that is not above `value`. */
export function floorTo(value: number, step: number): number {
  return Math.min(value, tidy(Math.floor(value / step) * step));
}

/** The smallest multiple of `step` that is not below `value`. */
export function ceilTo(value: number, step: number): number {
  return Math.max(value, tidy(Math.ceil(value / step) * step));
}

/** `0.30000000000000004` is not what a person writes. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}
