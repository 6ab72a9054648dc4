import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { expect, test } from 'vitest';
import { assembleReport } from '../assemble-report.ts';
import { failedReport, fixtureReports, inconclusiveReport, passedReport } from '../fixture-reports.ts';
import type { Report } from '../report.ts';
import { renderJunit } from './render-junit.ts';

interface Case {
  readonly name: string;
  readonly file?: string;
  readonly line?: string;
  readonly failure?: unknown;
  readonly error?: unknown;
  readonly skipped?: unknown;
  readonly 'system-out'?: unknown;
}
interface Counts {
  readonly tests: string;
  readonly failures: string;
  readonly errors: string;
  readonly skipped: string;
}

function parse(report: Report) {
  const xml = renderJunit(report);
  expect(XMLValidator.validate(xml)).toBe(true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    isArray: (name) => name === 'testsuite' || name === 'testcase',
  });
  const { testsuites } = parser.parse(xml) as {
    testsuites: Counts & { testsuite: (Counts & { name: string; testcase: Case[] })[] };
  };
  return {
    all: testsuites,
    cases: testsuites.testsuite.flatMap((suite) => suite.testcase),
    suites: testsuites.testsuite,
  };
}

test.each(Object.entries(fixtureReports))('the XML of "%s" is well-formed and its counts add up', (_name, report) => {
  const { all, cases, suites } = parse(report);
  const sum = (key: keyof Counts) => suites.reduce((total, suite) => total + Number(suite[key]), 0);
  expect([all.tests, all.failures, all.errors, all.skipped].map(Number)).toEqual([
    sum('tests'),
    sum('failures'),
    sum('errors'),
    sum('skipped'),
  ]);
  expect(cases.length).toBe(Number(all.tests));
  expect(cases.filter((found) => 'failure' in found).length).toBe(Number(all.failures));
  expect(cases.filter((found) => 'error' in found).length).toBe(Number(all.errors));
  expect(cases.filter((found) => 'skipped' in found).length).toBe(Number(all.skipped));
  expect(Number(all.failures) + Number(all.errors) > 0).toBe(report.verdict !== 'passed');
});

test('a case is named by its id and carries the policy line', () => {
  const found = parse(failedReport).cases.find(({ name }) => name === 'gate/accuracy/min');
  expect(found).toMatchObject({ file: 'sluice.yaml', line: '22' });
  expect(found).toHaveProperty('failure');
});

test('a warning passes and says so; waived and skipped are skipped', () => {
  const cases = parse(failedReport).cases;
  const of = (id: string) => cases.find(({ name }) => name === id);
  expect(of('data/train.csv/duplicate_rows')).toHaveProperty('system-out');
  expect(of('data/test.csv/accepted_values[country]')).toHaveProperty('skipped');
  expect(of('gate/accuracy/min[country=NZ]')).toHaveProperty('skipped');
});

test('an inconclusive check fails where the policy asks for proof, else it is skipped', () => {
  expect(parse(inconclusiveReport).cases.filter((found) => 'failure' in found).length).toBe(2);
  const lenient = assembleReport({
    ...inconclusiveReport,
    policy: { ...inconclusiveReport.policy, onInconclusive: 'warn' },
  });
  expect(parse(lenient).cases.filter((found) => 'skipped' in found).length).toBe(2);
});

test('a run that judged nothing is red', () => {
  const { all, cases } = parse(assembleReport({ ...passedReport, checks: [] }));
  expect(Number(all.errors)).toBe(1);
  expect(cases[0]).toHaveProperty('error');
});

test('any text, controls and lone surrogates included, stays well-formed XML 1.0', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.oneof(
          fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
          fc.constantFrom('\ud800', '\uffff', '\u0000', ']]>', '<', '&', '"', '\u001b'),
        ),
      }),
      (text) => {
        const report = assembleReport({
          ...passedReport,
          name: text,
          checks: [
            {
              id: text,
              title: text,
              section: 'data',
              status: 'fail',
              message: text,
              observed: text,
              failing: { total: 1, columns: [text], rows: [{ row: 1, values: [text] }] },
            },
          ],
        });
        const xml = renderJunit(report);
        expect(XMLValidator.validate(xml)).toBe(true);
        expect(xml).not.toMatch(/[\u0000-\u0009\u000b-\u001f\ufffe\uffff]|\p{Surrogate}/u);
      },
    ),
  );
});
