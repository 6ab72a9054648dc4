import { describe, expect, test } from 'vitest';
import { assembleReport, type ReportParts } from './assemble-report.ts';
import type { Check } from './check.ts';
import { failedReport, passedReport } from './fixture-reports.ts';
import { reportLimits } from './limits.ts';

const check: Check = { id: 'a', title: 'a', section: 'gate', status: 'pass', message: 'm' };
const parts: ReportParts = { ...passedReport, checks: [check], figures: [], notices: [] };

test('checks stand by section, then by the line of the policy, then as they were given', () => {
  const at = (id: string, section: Check['section'], line?: number): Check => ({
    ...check,
    id,
    section,
    ...(line === undefined ? {} : { place: { file: 'sluice.yaml', line } }),
  });
  const report = assembleReport({
    ...parts,
    checks: [at('g9', 'gate', 9), at('none', 'data'), at('g3b', 'gate', 3), at('g3a', 'gate', 3), at('d7', 'data', 7)],
  });
  expect(report.checks.map(({ id }) => id)).toEqual(['d7', 'none', 'g3b', 'g3a', 'g9']);
});

test('two checks of one id are refused', () => {
  expect(() => assembleReport({ ...parts, checks: [check, check] })).toThrow(RangeError);
});

test('two figures of one id are refused', () => {
  const figure = { kind: 'roc', id: 'f', title: 'f', curves: [] } as const;
  expect(() => assembleReport({ ...parts, figures: [figure, figure] })).toThrow(RangeError);
});

describe('a check with NaN behind it is an error, whatever it says of itself', () => {
  test.each([
    { observed: Number.NaN },
    { baseline: Number.NaN },
    { bound: { kind: 'min', value: Number.NaN } },
    { evidence: { estimate: 1, lower: Number.NaN, upper: 1, level: 0.9, method: 'm', n: 1 } },
    {
      evidence: {
        estimate: 1,
        lower: 0,
        upper: 1,
        level: 0.9,
        method: 'm',
        n: 1,
        against: { kind: 'min', value: Number.NaN },
      },
    },
  ] as const)('%j', (rest) => {
    const report = assembleReport({ ...parts, checks: [{ ...check, ...rest }] });
    expect([report.checks[0]?.status, report.verdict]).toEqual(['error', 'error']);
  });
});

test('verdict and headline follow from the checks', () => {
  expect([failedReport.verdict, failedReport.headline]).toEqual([
    'failed',
    '3 of 16 checks failed: not_null age: 93.1 %',
  ]);
});

test('giant texts and samples are cut, so that the report can be read back', () => {
  const giant = 'x'.repeat(1_000_000);
  const report = assembleReport({
    ...parts,
    checks: [
      {
        ...check,
        title: giant,
        message: `${'x'.repeat(reportLimits.text - 2)}😀😀`,
        failing: {
          total: 500,
          columns: Array.from({ length: 300 }, () => giant),
          rows: Array.from({ length: 500 }, (_, row) => ({
            row: row + 1,
            file: 'f'.repeat(600),
            values: Array.from({ length: 300 }, () => 'v'.repeat(600)),
          })),
        },
      },
    ],
  });
  const cut = report.checks[0];
  expect(cut?.title.length).toBe(reportLimits.text);
  expect(cut?.message).not.toMatch(/\p{Surrogate}/u);
  expect(cut?.failing?.total).toBe(500);
  expect(cut?.failing?.rows.length).toBe(reportLimits.failingRows);
  expect(cut?.failing?.columns.length).toBe(reportLimits.failingColumns);
  expect(cut?.failing?.rows[0]?.values[0]?.length).toBe(reportLimits.value);
  expect(cut?.failing?.rows[0]?.file?.length).toBe(reportLimits.value);
});

test('a figure that cannot be drawn is left out, and that is said', () => {
  const report = assembleReport({
    ...parts,
    figures: [
      { kind: 'histogram', id: 'good', title: 'g', series: [{ name: 's', edges: [0, 1], counts: [1] }] },
      { kind: 'histogram', id: 'bad', title: 'b', series: [{ name: 's', edges: [0, Infinity], counts: [1] }] },
    ],
  });
  expect(report.figures.map(({ id }) => id)).toEqual(['good']);
  expect(report.notices.map(({ message }) => message)).toEqual([
    'Figure bad is left out: it holds numbers that are not finite.',
  ]);
});
