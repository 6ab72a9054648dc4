import { excerpt } from '../../text/index.ts';
import type { Check } from '../check.ts';
import { factsOf } from '../check-facts.ts';
import type { Report } from '../report.ts';
import { groupsOf } from '../report-groups.ts';
import { rowWords } from '../row-words.ts';
import { statusWords } from '../vocabulary.ts';

type Outcome = 'passed' | 'failure' | 'error' | 'skipped';
type Totals = Readonly<Record<'tests' | 'failures' | 'errors' | 'skipped', number>>;

/**
 * The report as JUnit XML, the dialect that test reporters agree on: a suite per section or data file, a case per check, its id as
 * the name, so that a history survives a changed threshold. A warning passes and says so in `system-out`; an inconclusive check is
 * skipped, or a failure where the policy asks for proof; a waived one is skipped.
 */
export function renderJunit(report: Report): string {
  const suites = groupsOf(report).map(({ title, source, checks }) => {
    const name = source === '' ? title : `${title}: ${source}`;
    return { name, totals: totals(checks, report), cases: checks.map((check) => testCase(check, report, name)) };
  });
  // A run that judged nothing has no red case of its own, yet must be red in every dashboard.
  if (report.verdict !== 'passed' && !suites.some((suite) => suite.totals.failures + suite.totals.errors > 0)) {
    suites.push({
      name: 'Verdict',
      totals: { tests: 1, failures: 0, errors: 1, skipped: 0 },
      cases: [
        `    <testcase${attributes({ classname: `sluice.${report.name}`, name: 'verdict', time: '0' })}>\n      <error${attributes({ message: report.headline, type: report.verdict })}/>\n    </testcase>`,
      ],
    });
  }
  const sum = (key: keyof Totals) => suites.reduce((total, suite) => total + suite.totals[key], 0);
  const all = { tests: sum('tests'), failures: sum('failures'), errors: sum('errors'), skipped: sum('skipped') };
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: `sluice ${report.name}`, ...all, time: '0' })}>`,
    ...suites.flatMap((suite, position) => [
      `  <testsuite${attributes({ name: suite.name, ...suite.totals, time: '0' })}>`,
      ...(position === 0 ? properties(report) : []),
      ...suite.cases,
      '  </testsuite>',
    ]),
    '</testsuites>',
  ].join('\n')}\n`;
}

function properties(report: Report): readonly string[] {
  const facts = {
    verdict: report.verdict,
    headline: report.headline,
    policy: report.policy.file,
    version: report.tool.version,
    ...(report.commit === undefined ? {} : { commit: report.commit.head }),
  };
  return [
    '    <properties>',
    ...Object.entries(facts).map(([name, value]) => `      <property${attributes({ name, value })}/>`),
    '    </properties>',
  ];
}

function testCase(check: Check, report: Report, suite: string): string {
  const { file, line } = check.place ?? {};
  const open = `    <testcase${attributes({
    classname: `sluice.${report.name}.${suite}`,
    name: check.id,
    time: '0',
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line: String(line) }),
  })}`;
  const outcome = outcomeOf(check, report);
  const message = excerpt(`${check.title}: ${check.message}`, 1000);
  if (outcome === 'passed' && check.status === 'pass') return `${open}/>`;
  const inner =
    outcome === 'passed'
      ? `<system-out>${xmlText(`${statusWords[check.status].counted}: ${body(check)}`)}</system-out>`
      : outcome === 'skipped'
        ? `<skipped${attributes({ message: `${check.status}: ${message}` })}/>`
        : `<${outcome}${attributes({ message, type: check.status })}>${xmlText(body(check))}</${outcome}>`;
  return `${open}>\n      ${inner}\n    </testcase>`;
}

function outcomeOf(check: Check, report: Report): Outcome {
  if (check.status === 'fail') return 'failure';
  if (check.status === 'error') return 'error';
  if (check.status === 'inconclusive') return report.policy.onInconclusive === 'error' ? 'failure' : 'skipped';
  return check.status === 'skipped' || check.status === 'waived' ? 'skipped' : 'passed';
}

function totals(checks: readonly Check[], report: Report): Totals {
  const outcomes = checks.map((check) => outcomeOf(check, report));
  const count = (outcome: Outcome) => outcomes.filter((other) => other === outcome).length;
  return { tests: checks.length, failures: count('failure'), errors: count('error'), skipped: count('skipped') };
}

// Line breaks are ours: every part of it is made printable first.
function body(check: Check): string {
  const facts = factsOf(check);
  const failing = check.failing;
  const lines = [
    check.message,
    facts.observed === '' ? '' : `observed: ${facts.observed}`,
    facts.bound === '' ? '' : `bound: ${facts.bound}`,
    facts.baseline === '' ? '' : `baseline: ${facts.baseline} (${facts.change})`,
    facts.interval === '' ? '' : `interval: ${facts.interval} (${facts.method})`,
    facts.place === '' ? '' : `policy: ${facts.place}`,
    ...(failing === undefined
      ? []
      : [
          `failing rows: ${failing.total}`,
          ...failing.rows.map(
            ({ row, file, values }) =>
              `  row${row === undefined ? '' : ` ${rowWords(row, file)}`}: ${failing.columns.map((name, column) => `${name}=${values[column] ?? 'null'}`).join(', ')}`,
          ),
        ]),
  ];
  return lines
    .filter((line) => line !== '')
    .map((line) => excerpt(line, 1000))
    .join('\n');
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${xmlText(excerpt(String(value), 1000))}"`)
    .join('');
}

// What XML 1.0 cannot hold even as an entity (controls but tab and line feed, lone surrogates, U+FFFE, U+FFFF) becomes U+FFFD.
function xmlText(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
