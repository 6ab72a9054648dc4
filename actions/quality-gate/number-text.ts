export { counted, numberText } from '../../core/text/index.ts';

/** `p 0.012`, `q < 0.0001`: two significant digits say all a p-value is good for. */
export function pValueText(symbol: 'p' | 'q', value: number): string {
  return value < 1e-4 ? `${symbol} < 0.0001` : `${symbol} ${Number(value.toPrecision(2))}`;
}
