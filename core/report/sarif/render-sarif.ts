import { excerpt } from '../../text/index.ts';
import type { Check, Status } from '../check.ts';
import { describeOutcome } from '../check-facts.ts';
import type { Report } from '../report.ts';

/** As `upload-sarif` takes them: more results of one run are cut off there. */
const mostResults = 5000;
const schema = 'https://json.schemastore.org/sarif-2.1.0.json';
const home = 'https://github.com/sluice-ml/sluice';

const levels: Readonly<Partial<Record<Status, 'error' | 'warning' | 'note'>>> = {
  error: 'error',
  fail: 'error',
  inconclusive: 'warning',
  warn: 'warning',
  waived: 'note',
};

/**
 * The report as SARIF 2.1.0 (OASIS), which GitHub's code scanning and editors show on the policy's lines: a result for every check that is no plain
 * pass, a rule for every bound. A waived one is suppressed with its reason. Which slice or column a check is of is part of its fingerprint, so that an
 * alert is the same one in the next run.
 */
export function renderSarif(report: Report): string {
  const shown = report.checks.filter(({ status }) => levels[status] !== undefined).slice(0, mostResults);
  const rules = new Map<string, Check>();
  for (const check of shown) if (!rules.has(ruleOf(check))) rules.set(ruleOf(check), check);
  const ids = [...rules.keys()];
  const sarif = {
    $schema: schema,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Sluice',
            semanticVersion: report.tool.version,
            informationUri: home,
            rules: [...rules].map(([id, check]) => ({
              id,
              shortDescription: { text: line(check.title, 200) },
              // Code scanning takes no rule without these two.
              fullDescription: { text: `A bound of the policy: ${line(check.title, 200)}` },
              help: { text: `What the check means and how a bound is decided: ${home}#readme` },
              defaultConfiguration: { level: levels[check.status] ?? 'note' },
            })),
          },
        },
        automationDetails: { id: `sluice/${line(report.name, 100)}/` },
        invocations: [{ executionSuccessful: report.verdict !== 'error' }],
        results: shown.map((check) => ({
          ruleId: ruleOf(check),
          ruleIndex: ids.indexOf(ruleOf(check)),
          level: levelOf(check, report),
          message: {
            text: line(`${check.title}: ${check.message === '' ? describeOutcome(check) : check.message}`, 2000),
          },
          locations: [locationOf(check, report)],
          partialFingerprints: { 'sluiceCheck/v1': line(check.id, 500) },
          ...(check.waiver === undefined
            ? {}
            : { suppressions: [{ kind: 'external', justification: line(check.waiver.reason, 500) }] }),
        })),
      },
    ],
  };
  return `${JSON.stringify(sarif, null, 2)}\n`;
}

/** The check without the slice, the column or the set it is of. */
function ruleOf({ id }: Check): string {
  return line(id.replaceAll(/\[[^\]]*\]|#\d+$/g, ''), 200);
}

function levelOf({ status }: Check, { policy }: Report): 'error' | 'warning' | 'note' {
  if (status === 'inconclusive' && policy.onInconclusive === 'error') return 'error';
  return levels[status] ?? 'note';
}

function locationOf({ place }: Check, { policy }: Report) {
  const file = place?.file ?? policy.file;
  const region =
    place?.file === undefined || place.line === undefined
      ? {}
      : { region: { startLine: place.line, ...(place.column === undefined ? {} : { startColumn: place.column }) } };
  // Names of files may hold what a URI may not.
  const uri = file.split('/').map(encodeURIComponent).join('/');
  return { physicalLocation: { artifactLocation: { uri }, ...region } };
}

/** One line that people read: no control characters, no text that runs the other way. */
function line(text: string, most: number): string {
  return excerpt(text, most);
}
