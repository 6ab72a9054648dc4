import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../problem/index.ts';
import { fixtureReports, passedReport } from './fixture-reports.ts';
import { reportLimits } from './limits.ts';
import { parseReport } from './parse-report.ts';
import { renderJson } from './render-json.ts';
import type { Report } from './report.ts';

const changed = (change: (report: Record<string, unknown>) => void): unknown => {
  const report = JSON.parse(renderJson(passedReport)) as Record<string, unknown>;
  change(report);
  return report;
};

test.each(Object.entries(fixtureReports).filter(([name]) => name !== 'error'))(
  'what is written of "%s" reads back the same',
  (_name, report) => {
    expect(parseReport(renderJson(report))).toEqual(report);
    expect(parseReport(new TextEncoder().encode(renderJson(report)))).toEqual(report);
  },
);

test('a NaN comes back as its name, still an error', () => {
  const report = parseReport(renderJson(fixtureReports['error'] as Report));
  expect(report.checks.find(({ id }) => id === 'gate/roc_auc/min')).toMatchObject({ observed: 'NaN', status: 'error' });
});

test('a verdict that does not follow from the checks is refused', () => {
  const forged = changed((report) => {
    (report['checks'] as { status: string }[])[0] = {
      ...(report['checks'] as { status: string }[])[0],
      status: 'fail',
    };
  });
  expect(() => parseReport(forged)).toThrow(/verdict of the report does not follow/);
});

test('a report without checks cannot have passed', () => {
  expect(() => parseReport(changed((report) => Object.assign(report, { checks: [] })))).toThrow(/verdict/);
});

test('the headline is written anew', () => {
  const forged = parseReport(changed((report) => Object.assign(report, { headline: 'Approved by the security team' })));
  expect(forged.headline).toBe(passedReport.headline);
});

describe('refuses, naming the key', () => {
  test.each([
    ['an unknown key', { extra: 1 }, /extra/],
    ['another version', { schema: 2 }, /schema/],
    ['a commit that is none', { commit: { head: '../../etc' } }, /commit\.head/],
    ['a hash that is none', { sources: [{ path: 'a', sha256: 'x', rows: 1 }] }, /sources\.0\.sha256/],
    ['a text beyond the limit', { name: 'x'.repeat(reportLimits.text + 1) }, /name/],
    ['a prototype', JSON.parse('{"__proto__": {"polluted": true}, "tool": 1}'), /tool/],
  ])('%s', (_what, change, message) => {
    expect(() => parseReport(changed((report) => Object.assign(report, change)))).toThrow(message);
  });
});

test('two checks of one id are refused', () => {
  const twice = changed((report) =>
    Object.assign(report, { checks: [...passedReport.checks, passedReport.checks[0]] }),
  );
  expect(() => parseReport(twice)).toThrow(/one id/);
});

test('more checks than any run makes are refused', () => {
  const many = Array.from({ length: reportLimits.checks + 1 }, (_, id) => ({
    ...passedReport.checks[0],
    id: String(id),
  }));
  expect(() => parseReport({ ...passedReport, checks: many })).toThrow(/checks/);
});

test('ten thousand checks are read', () => {
  const many = Array.from({ length: 10_000 }, (_, id) => ({ ...passedReport.checks[0], id: String(id) }));
  expect(parseReport({ ...passedReport, checks: many }).checks.length).toBe(10_000);
});

test('a text beyond the size limit is refused before it is parsed', () => {
  expect(() => parseReport(new Uint8Array(reportLimits.bytes + 1))).toThrow(/too large/);
});

test('what is not JSON or not UTF-8 is refused', () => {
  expect(() => parseReport('{')).toThrow(InputError);
  expect(() => parseReport(Uint8Array.of(0xff, 0xfe))).toThrow(InputError);
});

test('nothing but an InputError ever comes out of foreign JSON', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (json) => {
      expect(() => parseReport(json)).toThrow(InputError);
    }),
  );
});
