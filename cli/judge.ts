import { join } from 'node:path';
import pc from 'picocolors';
import type { Host } from '../core/host/index.ts';
import type { Report } from '../core/report/index.ts';
import { printable } from '../core/text/index.ts';
import type { GateInputs } from '../github/index.ts';
import { wantsColour } from './colour.ts';
import type { CommonFlags } from './common-flags.ts';
import { type GateFlags, gateInputsOf } from './gate-flags.ts';
import { perform, type Session } from './session.ts';

/** How a run judges: an action's `run`. */
export type Run = (inputs: GateInputs, host: Host) => Promise<Report>;

const narrowest = 60;
const widest = 160;
const whenPiped = 120;

/** What `gate`, `validate-data` and `quality-gate` do: run, show the report, say where it was written, exit by its verdict. */
export async function judge(session: Session, flags: GateFlags, load: () => Promise<Run>): Promise<void> {
  await perform(session, flags, async (host) => {
    const run = await load();
    const report = await run(gateInputsOf(flags, session.streams.directory), host);
    const exitCode = await showReport(session, flags, report);
    // A gate that could not judge is an error all the same.
    return flags.exitZero === true && report.verdict === 'failed' ? 0 : exitCode;
  });
}

/** Shows a report as the flags want it, says where it was written, and gives the exit code of its verdict. */
export async function showReport(
  { streams }: Session,
  flags: CommonFlags & { readonly report?: string },
  report: Report,
): Promise<number> {
  const { stdout, stderr, environment } = streams;
  const { exitCodeOf, renderJson, renderTerminal } = await import('../core/report/index.ts');
  const colour = wantsColour(stdout, environment, flags.color);
  if (flags.json === true) stdout.write(renderJson(report));
  else if (flags.quiet === true) stdout.write(renderQuietly(report, colour));
  else {
    const width = Math.min(widest, Math.max(narrowest, stdout.columns || whenPiped));
    stdout.write(`${renderTerminal(report, { colour, width }).trimEnd()}\n`);
  }
  if (flags.report !== undefined && flags.quiet !== true) {
    const { bold } = pc.createColors(wantsColour(stderr, environment, flags.color));
    stderr.write(`\nThe report to look at: ${bold(printable(join(flags.report, 'report.html')))}\n`);
  }
  return exitCodeOf(report.verdict);
}

/** The verdict and one line for each check that is broken. */
function renderQuietly(report: Report, colour: boolean): string {
  const { bold, green, red } = pc.createColors(colour);
  const verdict = report.verdict === 'passed' ? green(report.verdict) : red(report.verdict);
  const broken = report.checks.filter((check) => check.status === 'fail' || check.status === 'error');
  return [
    `${bold(verdict)} ${printable(report.headline)}`,
    ...broken.map((check) => `  ${red(check.status)} ${printable(check.title)}: ${printable(check.message)}`),
    '',
  ].join('\n');
}
