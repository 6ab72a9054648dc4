/**
 * A measured number for a sentence: four significant digits, and as many more as it takes not to read like `bound` when it is not.
 */
export function numberText(value: number, bound?: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : value > 0 ? '∞' : '−∞';
  for (let digits = 4; digits < 15; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (bound === undefined || value === bound || rounded !== bound) return plain(rounded);
  }
  return plain(value);
}

function plain(value: number): string {
  return (Object.is(value, -0) ? '0' : String(value)).replace('-', '−');
}
