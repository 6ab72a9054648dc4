export { counted } from '../../core/text/index.ts';

/**
 * A measured number for a sentence: four significant digits, and as many more as it takes not to read like `bound` when it is not.
 */
export function numberText(value: number, bound?: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : value > 0 ? '∞' : '−∞';
  for (let digits = 4; digits < 15; digits++) {
    const text = plain(Number(value.toPrecision(digits)));
    if (bound === undefined || value === bound || Number(text) !== bound) return text;
  }
  return plain(value);
}

/** `p 0.012`, `q < 0.0001`: two significant digits say all a p-value is good for. */
export function pValueText(symbol: 'p' | 'q', value: number): string {
  return value < 1e-4 ? `${symbol} < 0.0001` : `${symbol} ${plain(Number(value.toPrecision(2)))}`;
}

function plain(value: number): string {
  return (Object.is(value, -0) ? '0' : String(value)).replace('-', '−');
}
