import type { Command } from 'commander';
import type { CanaryOrder } from '../actions/canary/run.ts';
import { addCanaryPlaceFlags, type CanaryPlaceFlags, canaryPlaceOf } from './canary-place.ts';
import { perform, type Session } from './session.ts';

const orders: readonly { readonly order: CanaryOrder; readonly summary: string; readonly description: string }[] = [
  {
    order: 'pause',
    summary: 'keep a rollout where it is',
    description: 'The canary keeps its traffic and is watched: harm still rolls back, and the deadline still counts.',
  },
  { order: 'resume', summary: 'go on after a pause', description: 'The step that was paused starts anew.' },
  {
    order: 'approve',
    summary: 'agree to the promotion',
    description:
      'Once every step has passed, all traffic may go to the canary. May be said before that; the steps have to pass all the same.',
  },
  {
    order: 'skip',
    summary: 'pass a step without waiting for evidence',
    description: 'The step that is on counts as passed; harm still rolls back.',
  },
  {
    order: 'abort',
    summary: 'roll back now',
    description:
      'Takes the rollout from whoever runs it, and gives all requests to the baseline. Needs no run that listens.',
  },
];

/** `sluice canary pause|resume|approve|skip|abort`: what a second process may tell a rollout. */
export function addCanaryOrders(parent: Command, session: Session): void {
  for (const { order, summary, description } of orders) {
    addCanaryPlaceFlags(parent.command(order), 'only this rollout (default: whichever is on)')
      .summary(summary)
      .description(description)
      .addHelpText('after', `\nExamples:\n  $ sluice canary ${order} --policy sluice.yaml`)
      .action((flags: CanaryPlaceFlags) =>
        perform(session, flags, async (host) => {
          const { giveOrder } = await import('../actions/canary/run.ts');
          const { analysis: _, ...record } = await giveOrder(
            order,
            canaryPlaceOf(flags, session.streams.directory),
            host,
          );
          if (flags.json === true) session.streams.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
          return 0;
        }),
      );
  }
}
