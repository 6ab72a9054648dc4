import type { Command } from 'commander';
import { addCanaryPlaceFlags, type CanaryPlaceFlags, canaryPlaceOf } from './canary-place.ts';
import { perform, type Session } from './session.ts';

/** `sluice canary status`: how a rollout stands. */
export function addCanaryStatus(parent: Command, session: Session): void {
  addCanaryPlaceFlags(parent.command('status'), 'fail when another rollout is on')
    .summary('how a rollout stands')
    .description('Shows the traffic as it is now and the rollout that is on, or was the last. Changes nothing.')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sluice canary status\n  $ sluice canary status --policy ml/sluice.yaml --json',
    )
    .action((flags: CanaryPlaceFlags) =>
      perform(session, flags, async () => {
        const { standingOf, standingText } = await import('../actions/canary/run.ts');
        const standing = await standingOf(canaryPlaceOf(flags, session.streams.directory));
        const { record, ...rest } = standing;
        const { analysis: _, ...shown } = record ?? {};
        session.streams.stdout.write(
          flags.json === true
            ? `${JSON.stringify({ ...rest, ...(record === undefined ? {} : { record: shown }) }, null, 2)}\n`
            : `${standingText(standing)}\n`,
        );
        return 0;
      }),
    );
}
