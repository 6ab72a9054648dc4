import { expect, test } from 'vitest';
import { errorReport, failedReport, passedReport } from './fixture-reports.ts';
import { nextStepsOf } from './next-steps.ts';

test('says which rows to look at, how many more would settle it, and what the base branch keeps', () => {
  expect(nextStepsOf(failedReport)).toEqual([
    'Look at the 312 rows that break “not_null age”; the first are listed with it.',
    'About 340 more rows like these would settle “accuracy ≥ 0.90, country = KR”.',
    "This run keeps 1 demand of the base branch's policy that the pull request relaxes; relaxing takes effect after merge.",
  ]);
});

test('what could not be judged comes first', () => {
  expect(nextStepsOf(errorReport)[0]).toMatch(/^Mend what could not be judged first \(2 checks\)/);
});

test('a report without anything to do says nothing', () => {
  expect(nextStepsOf(passedReport)).toEqual([]);
});
