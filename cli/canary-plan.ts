import { type Command, Option } from 'commander';
import type { CanaryPlan } from '../rollout/index.ts';
import { addCanaryTrialFlags, analysisOf, type CanaryTrialFlags, number, paceOf, strategyOf } from './canary-flags.ts';
import { perform, type Session } from './session.ts';
import { countText, secondsText, shareText, textTable } from './text-table.ts';

interface PlanFlags extends CanaryTrialFlags {
  readonly requestsPerSecond: number;
  readonly errorRate: number;
  readonly slowShare: number;
  readonly noise: number;
}

/** `sluice canary plan`: how long it takes, what it can find, how much is at risk. */
export function addCanaryPlan(parent: Command, session: Session): void {
  addCanaryTrialFlags(
    parent
      .command('plan')
      .addOption(
        new Option('--requests-per-second <number>', 'of both arms together')
          .argParser(number(0))
          .makeOptionMandatory(),
      )
      .addOption(
        new Option('--error-rate <share>', "the baseline's, such as 0.01")
          .argParser(number(0, 1))
          .makeOptionMandatory(),
      )
      .option('--slow-share <share>', 'with --slo-ms: requests over it', number(0, 1), 0.01)
      .option('--noise <variance>', 'of the factor by which the error rate changes from look to look', number(0, 1), 0),
  )
    .summary('how long a canary takes, what it finds, how much is at risk')
    .description(
      'Runs the strategy and the analysis on expected counts of a canary that is as good as the baseline, and works out what worse ones would cost.',
    )
    .addHelpText(
      'after',
      `
Exit codes:
  0    it passes in time
  1    a wrong flag
  100  it does not pass before its deadline

Examples:
  $ sluice canary plan --requests-per-second 100 --error-rate 0.01
  $ sluice canary plan --requests-per-second 5 --error-rate 0.002 --weights 10,50 --detect-ratio 5 --json`,
    )
    .action((flags: PlanFlags) =>
      perform(session, flags, async () => {
        const { analysisSettings, planCanary } = await import('../rollout/index.ts');
        const { requestsPerSecond, errorRate, slowShare, noise } = flags;
        const plan = planCanary({
          analysis: analysisOf(flags, analysisSettings),
          strategy: strategyOf(flags),
          ...paceOf(flags),
          traffic: { requestsPerSecond, errorRate, slowShare, noise },
        });
        session.streams.stdout.write(flags.json === true ? `${JSON.stringify(plan, null, 2)}\n` : planText(plan));
        return plan.seconds === undefined ? 100 : 0;
      }),
    );
}

function planText({ stages, seconds, requests, faults, remarks }: CanaryPlan): string {
  const head = ['step', 'begins', 'lasts', 'requests', 'excludes', 'finds', 'chance to find'];
  const rows = stages.map((stage) => [
    stage.kind === 'step' ? `${stage.weight} %` : stage.kind,
    secondsText(stage.startsAt),
    stage.lasts === undefined ? 'too long' : secondsText(stage.lasts),
    countText(stage.requests),
    shareText(stage.excludes),
    stage.detects === undefined ? '-' : `${stage.detects}x`,
    shareText(Math.round(stage.power * 1000) / 1000),
  ]);
  const faultHead = ['if it fails', 'rate', 'found after', 'requests', 'harmed'];
  const faultRows = faults.map((fault) => [
    `${fault.ratio}x as often`,
    shareText(fault.rate),
    fault.foundAfter === undefined ? 'not found' : secondsText(fault.foundAfter),
    countText(fault.requests),
    countText(fault.harmed),
  ]);
  const end =
    seconds === undefined
      ? 'It does not pass before its deadline.'
      : `A canary as good as the baseline is promoted after ${secondsText(seconds)} and ${countText(requests)} requests.`;
  return [
    textTable(head, rows),
    '\n',
    faultRows.length === 0 ? '' : `${textTable(faultHead, faultRows)}\n`,
    `${end}\n`,
    ...remarks.map((remark) => `${remark}\n`),
    '"excludes": the error rate that must be ruled out before the step passes. "finds": the multiple of the baseline\'s errors found by its end.\n',
  ].join('');
}
