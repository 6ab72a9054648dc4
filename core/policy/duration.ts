const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a time as policies write it: `30s`, `5m`, `1.5h`, `500ms`; `undefined` for anything else. */
export function durationMs(text: unknown): number | undefined {
  const [, number, unit] = typeof text === 'string' ? (/^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []) : [];
  const factor = milliseconds[unit ?? ''];
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}
