/** What a duration looks like, for messages. */
export const durationWords = 'a time such as "30s", "5m" or "500ms"';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `1.5s` -> 1500 milliseconds. The schema lets nothing else through; a text without a unit throws a `RangeError`. */
export function millisecondsOf(duration: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration) ?? [];
  const factor = units[unit];
  if (amount === undefined || factor === undefined) throw new RangeError(`${duration} is not a duration`);
  return Number(amount) * factor;
}

/** `950 ms`, `12.3 s`, `4 min 10 s`. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${Number((milliseconds / 1000).toPrecision(3))} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min${seconds % 60 === 0 ? '' : ` ${seconds % 60} s`}`;
}
