import type { Command } from 'commander';
import { addGateFlags, type GateFlags } from './gate-flags.ts';
import { judge } from './judge.ts';
import type { Session } from './session.ts';

interface DriftFlags extends GateFlags {
  readonly reference?: string;
  readonly current?: string;
  readonly metrics?: string;
  readonly pushMetrics?: string;
  readonly model: string;
  readonly modelVersion: string;
}

/** `sluice detect-drift`: the policy's `drift` alone. */
export function addDetectDrift(program: Command, session: Session): void {
  addGateFlags(program.command('detect-drift'))
    .option('--reference <file>', "what to compare with; takes the place of the policy's drift.reference")
    .option('--current <file>', "the data as it is now; takes the place of the policy's drift.current")
    .option('--metrics <file>', "write the numbers in Prometheus' text format, for a textfile collector")
    .option('--push-metrics <url>', 'push them to a Pushgateway')
    .option('--model <name>', 'whose numbers they are', 'model')
    .option('--model-version <version>', 'and of which version', '')
    .summary("how far today's data is from a reference")
    .description(
      'Compares the current data with the reference by the policy (its `drift`): each column by its measures, beyond what chance explains.',
    )
    .addHelpText(
      'after',
      `
Exit codes:
  0    no column has drifted beyond a bound to fail; what is worth watching is a warning
  1    it could not be judged: a wrong flag, a file that cannot be read, a column that is gone
  100  it has drifted

Examples:
  $ sluice detect-drift
  $ sluice detect-drift --current data/this-week.parquet --report drift-report
  $ sluice detect-drift --policy ml/sluice.yaml --json
  $ sluice detect-drift --push-metrics http://pushgateway:9091 --model churn --model-version 3`,
    )
    .action(({ reference, current, metrics, pushMetrics, model, modelVersion, ...flags }: DriftFlags) =>
      judge(session, flags, async () => {
        const { run } = await import('../actions/detect-drift/run.ts');
        const told = metrics !== undefined || pushMetrics !== undefined;
        const goal = { file: metrics, pushTo: pushMetrics, model, modelVersion };
        const given = { reference, current };
        return (inputs, host) => run({ ...inputs, given, ...(told ? { metrics: goal } : {}) }, host);
      }),
    );
}
