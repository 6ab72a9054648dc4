import type { Outcome, OutcomeLabel, RequestCounter, ValuePattern, Where } from './serving-profile.ts';

/** Whether a label's value is one of the patterns. */
export function matchesPattern(value: string, patterns: readonly ValuePattern[]): boolean {
  return patterns.some(
    (pattern) =>
      pattern.length === value.length && [...pattern].every((char, index) => char === '.' || char === value[index]),
  );
}

/** The patterns as one regular expression for PromQL, which matches whole values. */
export function regexOf(patterns: readonly ValuePattern[]): string {
  return patterns.map((pattern) => pattern.replace(/[\\^$*+?()[\]{}|]/g, '\\$&')).join('|');
}

/** Whether a series with these labels is one of those meant. A label it does not have is empty, as in Prometheus. */
export function isWhere(labels: Readonly<Record<string, string>>, where: Where = {}): boolean {
  return Object.entries(where).every(([name, patterns]) => matchesPattern(labels[name] ?? '', patterns));
}

/** How the requests ended that a series with these labels counts; `undefined` if the counter does not say. */
export function outcomeOf({ outcome }: RequestCounter, labels: Readonly<Record<string, string>>): Outcome | undefined {
  if (outcome === undefined || typeof outcome === 'string') return outcome;
  const value = labels[outcome.label] ?? '';
  return outcomes(outcome).find(([, patterns]) => matchesPattern(value, patterns))?.[0] ?? outcome.otherwise;
}

function outcomes({ values }: OutcomeLabel): readonly (readonly [Outcome, readonly ValuePattern[]])[] {
  return Object.entries(values) as unknown as readonly (readonly [Outcome, readonly ValuePattern[]])[];
}
