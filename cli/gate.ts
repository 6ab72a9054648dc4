import type { Command } from 'commander';
import { addGateFlags, type GateFlags } from './gate-flags.ts';
import { judge } from './judge.ts';
import type { Session } from './session.ts';

/** `sluice gate`: what the root action does on a pull request, without publishing. */
export function addGate(program: Command, session: Session): void {
  addGateFlags(program.command('gate'))
    .summary('validate the data, judge the model, report')
    .description(
      'Validates the data and judges the model by one policy: what the GitHub Action does on a pull request.',
    )
    .addHelpText(
      'after',
      `
Exit codes:
  0    the gate passed
  1    it could not be judged: a mistake in the policy, a file that is missing
  100  the gate failed

Examples:
  $ sluice gate
  $ sluice gate --policy ml/sluice.yaml --base origin/main --report sluice-report
  $ sluice gate --json | jq -r '.checks[] | select(.status == "fail") | .message'`,
    )
    .action((flags: GateFlags) =>
      judge(session, flags, async () => (await import('../actions/pull-request-gate/run.ts')).run),
    );
}
