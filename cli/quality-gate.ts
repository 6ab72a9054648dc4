import type { Command } from 'commander';
import { addGateFlags, type GateFlags } from './gate-flags.ts';
import { judge } from './judge.ts';
import type { Session } from './session.ts';

/** `sluice quality-gate`: the policy's `gates` alone. */
export function addQualityGate(program: Command, session: Session): void {
  addGateFlags(program.command('quality-gate'))
    .summary("only the policy's model gates")
    .description('Judges the model of the policy (its `gates`), and nothing else. Exit codes as `sluice gate`.')
    .addHelpText(
      'after',
      `
Examples:
  $ sluice quality-gate
  $ sluice quality-gate --base origin/main --report sluice-report`,
    )
    .action((flags: GateFlags) =>
      judge(session, flags, async () => (await import('../actions/quality-gate/run.ts')).run),
    );
}
