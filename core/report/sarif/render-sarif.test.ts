import { describe, expect, test } from 'vitest';
import type { Check } from '../check.ts';
import { fixtureReports, passedReport } from '../fixture-reports.ts';
import type { Report } from '../report.ts';
import { renderSarif } from './render-sarif.ts';

interface Sarif {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly invocations: readonly { readonly executionSuccessful: boolean }[];
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string };
          readonly region?: { readonly startLine: number; readonly startColumn?: number };
        };
      }[];
      readonly partialFingerprints: Readonly<Record<string, string>>;
      readonly suppressions?: readonly { readonly justification: string }[];
    }[];
  }[];
}

const check = (id: string, status: Check['status'], more: Partial<Check> = {}): Check => ({
  id,
  title: `${id} ≥ 0.9`,
  section: 'gate',
  status,
  message: 'It is 0.8.',
  place: { file: 'ml/sluice.yaml', line: 7, column: 5 },
  ...more,
});
const of = (checks: readonly Check[], more: Partial<Report> = {}) => {
  const sarif = JSON.parse(renderSarif({ ...passedReport, checks, ...more })) as Sarif;
  const [run] = sarif.runs;
  if (run === undefined) throw new RangeError('no run');
  return run;
};

describe('the report as SARIF', () => {
  test('has a result on its line for every check that is no plain pass, and none for the others', () => {
    const { results } = of([
      check('gate/accuracy/min', 'fail'),
      check('gate/recall/min', 'pass'),
      check('gate/f1/min', 'skipped'),
      check('gate/size/max_mb', 'warn'),
      check('gate/roc_auc/min', 'inconclusive'),
      check('gate/latency/p95_ms', 'error'),
    ]);
    expect(results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
      ['gate/accuracy/min', 'error'],
      ['gate/size/max_mb', 'warning'],
      ['gate/roc_auc/min', 'warning'],
      ['gate/latency/p95_ms', 'error'],
    ]);
    expect(results[0]?.locations).toEqual([
      { physicalLocation: { artifactLocation: { uri: 'ml/sluice.yaml' }, region: { startLine: 7, startColumn: 5 } } },
    ]);
  });

  test('has one rule for a bound however many slices break it, and tells them apart by their fingerprints', () => {
    const { tool, results } = of([
      check('gate/recall/min[country=KR]', 'fail'),
      check('gate/recall/min[country=US]', 'fail'),
      check('gate[edge]/recall/min', 'fail'),
    ]);
    expect(tool.driver.rules.map(({ id }) => id)).toEqual(['gate/recall/min']);
    expect(results.map(({ ruleIndex }) => ruleIndex)).toEqual([0, 0, 0]);
    expect(new Set(results.map((each) => JSON.stringify(each.partialFingerprints))).size).toBe(3);
  });

  test('suppresses what is waived, with the reason', () => {
    const { results } = of([
      check('gate/recall/min', 'waived', { waiver: { reason: 'known', expires: '2027-01-31' } }),
    ]);
    expect(results).toMatchObject([{ level: 'note', suppressions: [{ justification: 'known' }] }]);
  });

  test('takes what is inconclusive for an error where the policy asks for proof', () => {
    const policy = { ...passedReport.policy, onInconclusive: 'error' as const };
    expect(of([check('gate/recall/min', 'inconclusive')], { policy }).results[0]?.level).toBe('error');
  });

  test('says that a run which could not judge did not end well', () => {
    expect(of([], { verdict: 'error' }).invocations).toEqual([{ executionSuccessful: false }]);
    expect(of([]).invocations).toEqual([{ executionSuccessful: true }]);
  });

  test('holds names of files as URIs, and no control character of anybody', () => {
    const { results } = of([
      check('gate/recall/min[a\u001b[31m]', 'fail', {
        message: 'a\u202eb\nc',
        place: { file: 'my models/ü#1.yaml', line: 1 },
      }),
    ]);
    expect(results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe('my%20models/%C3%BC%231.yaml');
    expect(JSON.stringify(results)).not.toMatch(/\\u001b|\u202e|\\n/);
  });

  test.each(Object.entries(fixtureReports).map(([name, report]) => [name, report] as const))(
    'of %s names a rule for every result',
    (_name, report) => {
      const sarif = JSON.parse(renderSarif(report)) as Sarif;
      for (const { tool, results } of sarif.runs) {
        for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
      }
    },
  );
});
