import type { Check, Status } from './check.ts';
import type { Verdict } from './report.ts';

// What every renderer calls and draws things by. A status reads the same in a terminal, a comment and a browser.

interface StatusWords {
  /** One column wide in every terminal. */
  readonly symbol: string;
  /** For Markdown, where colour is not to be had. */
  readonly emoji: string;
  /** `3 failed`, `1 inconclusive`. */
  readonly counted: string;
  /** Heading of a count: `Failed`. */
  readonly title: string;
}

export const statusWords: Readonly<Record<Status, StatusWords>> = {
  error: { symbol: '!', emoji: '🛑', counted: 'not judged', title: 'Not judged' },
  fail: { symbol: '✖', emoji: '❌', counted: 'failed', title: 'Failed' },
  inconclusive: { symbol: '◐', emoji: '❓', counted: 'inconclusive', title: 'Inconclusive' },
  warn: { symbol: '▲', emoji: '⚠️', counted: 'warned', title: 'Warned' },
  waived: { symbol: '⊘', emoji: '📝', counted: 'waived', title: 'Waived' },
  skipped: { symbol: '○', emoji: '⏭️', counted: 'skipped', title: 'Skipped' },
  pass: { symbol: '✔', emoji: '✅', counted: 'passed', title: 'Passed' },
};

export const verdictWords: Readonly<Record<Verdict, { symbol: string; emoji: string; word: string; title: string }>> = {
  passed: { symbol: '✔', emoji: '✅', word: 'passed', title: 'Passed' },
  failed: { symbol: '✖', emoji: '❌', word: 'failed', title: 'Failed' },
  error: { symbol: '!', emoji: '🛑', word: 'could not judge', title: 'Could not judge' },
};

export const sectionTitles: Readonly<Record<Check['section'], string>> = {
  data: 'Data',
  gate: 'Model',
  drift: 'Drift',
  smoke: 'Server',
  rollout: 'Rollout',
};

/** The order in which sections stand. */
export const sectionOrder: readonly Check['section'][] = ['data', 'gate', 'drift', 'smoke', 'rollout'];

/** What a reader has to look at, the worst first; the rest is passed or deliberately not judged. */
export const attentionOrder: readonly Status[] = ['error', 'fail', 'inconclusive', 'warn', 'waived'];

/** `1 row`, `340 rows`, `1,204 checks`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(String(count))} ${count === 1 ? noun : plural}`;
}

/** Thousands set apart by commas, decimals untouched: `-1234.5` -> `-1,234.5`. */
export function grouped(digits: string): string {
  return digits.replace(
    /^(-?)(\d+)/,
    (_all, sign: string, whole: string) => sign + whole.replace(/\B(?=(\d{3})+$)/g, ','),
  );
}
