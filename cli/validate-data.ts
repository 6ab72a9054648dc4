import type { Command } from 'commander';
import { addGateFlags, type GateFlags } from './gate-flags.ts';
import { judge } from './judge.ts';
import type { Session } from './session.ts';

/** `sluice validate-data`: the policy's `data` alone. */
export function addValidateData(program: Command, session: Session): void {
  addGateFlags(program.command('validate-data'))
    .summary("only the policy's data checks")
    .option('--gx-json <file>', 'write the results there as JSON of Great Expectations')
    .description('Checks the data files of the policy (its `data`), and nothing else. Exit codes as `sluice gate`.')
    .addHelpText(
      'after',
      `
Examples:
  $ sluice validate-data
  $ sluice validate-data --policy ml/sluice.yaml --json
  $ sluice validate-data --gx-json report.gx.json`,
    )
    .action((flags: GateFlags & { readonly gxJson?: string }) =>
      judge(session, flags, async () => {
        const { run } = await import('../actions/validate-data/run.ts');
        const { gxJson: gxFile } = flags;
        return (inputs, host) => run({ ...inputs, ...(gxFile === undefined ? {} : { gxFile }) }, host);
      }),
    );
}
