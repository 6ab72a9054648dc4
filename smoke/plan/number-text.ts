/** A measured number for a sentence: four significant digits. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : value > 0 ? '∞' : '−∞';
  return String(Number(value.toPrecision(4))).replace(/^-/, '−');
}
