/** Rows in columns: the first to the left, numbers to the right. Cells must be printable. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => Array.from(row[column] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => {
          const gap = ' '.repeat(Math.max(0, (widths[column] ?? 0) - Array.from(cell).length));
          return column === 0 ? `${cell}${gap}` : `${gap}${cell}`;
        })
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** `45s`, `12m 20s`, `1h 30m`: seconds, as long as people count. */
export function secondsText(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${rest}s` : `${rest}s`;
}

/** A share in percent, to three digits. */
export function shareText(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

export function countText(count: number): string {
  const rounded = count >= 10 || Number.isInteger(count) ? Math.round(count) : Number(count.toFixed(1));
  return rounded.toLocaleString('en-US');
}
