import type { Problem } from '../problem/index.ts';

/** Answers are counts and samples; whoever asks for more has made a mistake, and memory is not to pay for it. */
export const mostRows = 1_000_000;

/** An engine as its problems call it. */
interface EngineWords {
  /** As in codes and in the policy: `engines.trino`. */
  readonly key: 'athena' | 'trino';
  readonly name: 'Athena' | 'Trino';
  /** What it calls ending a statement early. */
  readonly ended: 'stopped' | 'cancelled';
}

export const athenaWords: EngineWords = { key: 'athena', name: 'Athena', ended: 'stopped' };
export const trinoWords: EngineWords = { key: 'trino', name: 'Trino', ended: 'cancelled' };

/** The run ended before the statement did. */
export function interrupted({ key, name, ended }: EngineWords): Problem {
  return {
    code: `${key}-interrupted`,
    message: `the run was interrupted, and what it asked of ${name} was ${ended}`,
    fix: 'Run it again.',
  };
}

export function tooManyRows({ key }: EngineWords): Problem {
  return {
    code: `${key}-too-many-rows`,
    message: `a statement answers with more than ${mostRows} rows`,
    fix: 'Have it answer with fewer.',
  };
}

export function tooSlow({ key, ended }: EngineWords, withinMs: number): Problem {
  return {
    code: `${key}-too-slow`,
    message: `a statement was ${ended} after ${withinMs / 1000} s`,
    fix: `Allow more with engines.${key}.within, or check fewer columns of fewer rows.`,
  };
}
