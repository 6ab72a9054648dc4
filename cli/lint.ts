import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import type { PolicyLint } from '../actions/quality-gate/run.ts';
import type { Place } from '../core/problem/index.ts';
import { counted, printable } from '../core/text/index.ts';
import { wantsColour } from './colour.ts';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import { perform, type Session } from './session.ts';

interface LintFlags extends CommonFlags {
  readonly policy: string;
  readonly rows?: number;
  readonly churn?: number;
  readonly strict?: boolean;
}

/** `sluice lint`: what a policy can tell, before anything runs. */
export function addLint(program: Command, session: Session): void {
  addCommonFlags(
    program
      .command('lint')
      .option('--policy <file>', "the policy; paths in it are relative to the policy's own folder", 'sluice.yaml')
      .option(
        '--rows <count>',
        'judge by so many rows, half of each class, without reading the evaluation file',
        rowCount,
      )
      .option('--churn <share>', 'of predictions that change from one model to the next (default: 0.08)', share)
      .option('--strict', 'exit with 100 where there is a warning'),
  )
    .summary('what each bound can resolve with the rows there are')
    .description(
      'Says before a run what each bound can resolve with the evaluation rows there are, and which bounds and settings have no effect. Reads the policy and the evaluation file, never a model.',
    )
    .addHelpText(
      'after',
      `
"reliably": in 95 of 100 evaluations. Models that have not run yet are taken to be as models usually are.

Exit codes:
  0    the policy is sound; warnings are advice
  1    it could not be read
  100  with --strict: there is a warning

Examples:
  $ sluice lint
  $ sluice lint --policy ml/sluice.yaml --rows 5000
  $ sluice lint --json | jq -r '.findings[] | select(.level == "warning") | .message'`,
    )
    .action((flags: LintFlags) =>
      perform(session, flags, async (host) => {
        const { lintPolicy } = await import('../actions/quality-gate/run.ts');
        const { stdout, environment, directory } = session.streams;
        const found = await lintPolicy(
          {
            policyFile: flags.policy,
            directory,
            today: new Date().toISOString().slice(0, 10),
            ...(flags.rows === undefined ? {} : { rows: flags.rows }),
            ...(flags.churn === undefined ? {} : { churn: flags.churn }),
          },
          host,
        );
        const colour = wantsColour(stdout, environment, flags.color);
        stdout.write(
          flags.json === true ? `${JSON.stringify(found, null, 2)}\n` : lintText(found, colour, flags.quiet === true),
        );
        return flags.strict === true && found.findings.some(({ level }) => level === 'warning') ? 100 : 0;
      }),
    );
}

function lintText(found: PolicyLint, colour: boolean, quiet: boolean): string {
  const { bold, dim, yellow, cyan } = pc.createColors(colour);
  const { rows, source, evidence, assumptions, bounds, findings } = found;
  const of = source === undefined ? '' : ` of ${printable(source)}`;
  const head = rows === undefined ? 'no evaluation rows' : `${counted(rows, 'row')}${of}, evidence ${evidence}`;
  const width = Math.min(60, Math.max(0, ...bounds.map(({ title }) => printable(title).length)));
  const lines = bounds.map(({ title, words }) => `  ${printable(title).padEnd(width)}  ${printable(words)}`);
  const notes = findings
    .filter(({ level }) => !quiet || level === 'warning')
    .flatMap(({ level, message, fix, place }) => [
      `${level === 'warning' ? yellow('warning') : cyan('note')} ${printable(message)}`,
      `  ${dim(placeText(place))}  ${printable(fix)}`,
    ]);
  const warnings = findings.filter(({ level }) => level === 'warning').length;
  return [
    ...(quiet
      ? []
      : [
          `${bold(printable(found.policy))}: ${head}`,
          ...(lines.length === 0 ? [] : ['', ...lines, '']),
          ...(lines.length === 0
            ? []
            : [
                dim(
                  `"reliably": in ${assumptions.reliability * 100} of 100 evaluations, of models that differ on ${Number((assumptions.churn * 100).toPrecision(3))} % of the rows.`,
                ),
                '',
              ]),
        ]),
    ...notes,
    warnings === 0 ? 'No warnings.' : `${counted(warnings, 'warning')}.`,
    '',
  ].join('\n');
}

function placeText({ file = '', line }: Place): string {
  return line === undefined ? printable(file) : `${printable(file)}:${line}`;
}

function rowCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError('Expected a whole number of rows, 1 or more.');
}

function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number over 0, at most 1.');
}
