import type { Host } from '../core/host/index.ts';
import { describeProblem, SluiceError } from '../core/problem/index.ts';
import { describeOutcome, escapeMarkdown, type Report, renderTerminal } from '../core/report/index.ts';
import manifest from '../package.json' with { type: 'json' };
import { remarkableChecks } from './annotation.ts';
import { type GateInputs, gateInputsFrom } from './inputs.ts';

/** GitHub shows ten errors and ten warnings a step and drops the rest; one is kept for the verdict. */
const annotationsPerStep = 9;
const logWidth = 120;

const issues = 'https://github.com/sluice-ml/sluice/issues';

/**
 * Runs an action from its entry: reads the inputs, judges, shows the report in the log, marks the policy's lines, and ends the step by the
 * verdict. Errors are told as `runStep` tells them.
 */
export async function runAction(
  read: (input: string) => string,
  load: () => Promise<(inputs: GateInputs, host: Host) => Promise<Report>>,
): Promise<void> {
  await runStep(read, async (inputs, host) => {
    const run = await load();
    showReport(await run(inputs, host), host);
  });
}

/** Shows a report in the log, marks the policy's lines, and ends the step by the verdict. */
export function showReport(report: Report, host: Host): void {
  host.info(`\n${renderTerminal(report, { colour: false, width: logWidth })}`);
  annotateLog(report, host);
  if (report.verdict === 'passed') return;
  process.exitCode = 1;
  host.error(report.headline);
}

/**
 * Runs a step's work from its entry, with its inputs. An error of the user's becomes one annotation for each problem, at its place; anything
 * else is a bug and says how to report it. Either fails the step.
 */
export async function runStep(
  read: (input: string) => string,
  work: (inputs: GateInputs, host: Host) => Promise<void>,
): Promise<void> {
  // Here, since the command enters this room too and never needs the toolkit.
  const { actionsHost } = await import('./actions-host.ts');
  let host = actionsHost();
  try {
    const inputs = gateInputsFrom(read);
    host = actionsHost(inputs.directory);
    await work(inputs, host);
  } catch (error) {
    process.exitCode = 1;
    const lines = describeFailure(error);
    if (error instanceof SluiceError) {
      // What has a place is marked there; the rest is one thing that went wrong, told once.
      const placed = error.problems.filter(({ place }) => place?.file !== undefined);
      const unplaced = error.problems.filter((problem) => !placed.includes(problem));
      for (const problem of placed.slice(0, annotationsPerStep)) host.error(describeProblem(problem), problem.place);
      if (unplaced.length > 0) host.error(unplaced.map(describeProblem).join('\n'));
      const left = placed.slice(annotationsPerStep);
      if (left.length > 0) host.info(left.map(describeProblem).join('\n'));
    } else {
      host.error(lines.join('\n'));
    }
    host.output('conclusion', 'error');
    await summarise(lines, host);
  }
}

function annotateLog(report: Report, host: Host): void {
  for (const check of remarkableChecks(report.checks).slice(0, annotationsPerStep)) {
    const text = check.message === '' ? describeOutcome(check) : `${check.title}: ${check.message}`;
    const mark = { error: host.error, fail: host.error, waived: host.notice }[check.status as string] ?? host.warning;
    mark(text, check.place);
  }
}

function describeFailure(error: unknown): readonly string[] {
  if (error instanceof SluiceError) return error.problems.map(describeProblem);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    `This is a bug in Sluice ${manifest.version}. Please report it, with these lines, at ${issues}`,
    `Node ${process.versions.node} on ${process.platform}-${process.arch}`,
    stack,
  ];
}

async function summarise(lines: readonly string[], host: Host): Promise<void> {
  const items = lines.slice(0, 100).map((line) => `- ${escapeMarkdown(line, 1000)}`);
  try {
    await host.summary(`## 🛑 Sluice could not judge\n\n${items.join('\n')}\n`);
  } catch {
    // The log has it already.
  }
}
