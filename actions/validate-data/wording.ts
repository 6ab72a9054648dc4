/** `1,204`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 row`, `1,204 rows`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(count)} ${count === 1 ? noun : plural}`;
}

/** A share as a percentage with as many digits as it takes not to read as all or nothing: `0.0012 %`, `93.1 %`, `99.9988 %`. */
export function percent(share: number): string {
  const value = share * 100;
  if (!Number.isFinite(value)) return String(value);
  let digits = Number.isInteger(value) ? 0 : 1;
  const lies = () =>
    (value !== 0 && Number(value.toFixed(digits)) === 0) || (value !== 100 && Number(value.toFixed(digits)) === 100);
  while (digits < 8 && lies()) digits++;
  return `${Number(value.toFixed(digits))} %`;
}

/** A percentage as the policy demands it: `95 %`, `0.5 %`. */
export function demanded(share: number): string {
  return `${Number((share * 100).toPrecision(12))} %`;
}
