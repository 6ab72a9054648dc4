import type { Check } from './check.ts';

/** Passed checks that one line of the policy made, told as one line: `not_null: { columns: all }` makes one for every column. */
export interface FoldedPasses {
  /** The check they follow: the last one of their line that is shown. */
  readonly after: Check;
  readonly checks: readonly Check[];
  /** `sluice.yaml:14` */
  readonly place: string;
}

const foldFrom = 7;
const keep = 3;

/** Of seven or more passed checks of one policy line all but three are folded; whatever did not pass is always shown. */
export function foldPasses(checks: readonly Check[]): {
  readonly shown: readonly Check[];
  readonly folded: readonly FoldedPasses[];
} {
  const lines = new Map<string, Check[]>();
  for (const check of checks) {
    const { file, line, column } = check.place ?? {};
    if (check.status !== 'pass' || file === undefined || line === undefined) continue;
    const key = `${file}:${line}:${column}`;
    const passed = lines.get(key) ?? [];
    passed.push(check);
    lines.set(key, passed);
  }
  const folded = [...lines.values()].flatMap((passed) => {
    const after = passed[keep - 1];
    if (passed.length < foldFrom || after === undefined) return [];
    return [{ after, checks: passed.slice(keep), place: `${after.place?.file}:${after.place?.line}` }];
  });
  const hidden = new Set(folded.flatMap((fold) => fold.checks));
  return { shown: checks.filter((check) => !hidden.has(check)), folded };
}
