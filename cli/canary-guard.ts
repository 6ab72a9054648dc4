import type { Command } from 'commander';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import { perform, type Session } from './session.ts';

interface GuardFlags extends CommonFlags {
  readonly order: string;
}

/** `sluice canary guard`: what the Job in the cluster runs, which a rollout creates before it moves anything. */
export function addCanaryGuard(parent: Command, session: Session): void {
  addCommonFlags(
    parent
      .command('guard')
      .requiredOption('--order <json>', 'what to guard, as the rollout that created the Job wrote it'),
  )
    .summary('watch the lease of a rollout, inside the cluster')
    .description(
      'Restores the baseline when the lease of a rollout runs out: the run that watched it is gone. Ends when the rollout is over. ' +
        'A rollout starts it as a Job, with the service account that the policy names under "guard"; nobody has to.',
    )
    .action((flags: GuardFlags) =>
      perform(session, flags, async (host) => {
        const { runGuard } = await import('../rollout/index.ts');
        const guarded = await runGuard(flags.order, { say: (message) => host.info(message) });
        const words = {
          restored: 'The lease ran out, and the rollout was brought to its end.',
          over: 'The rollout is over.',
          none: 'There is no such rollout.',
        };
        host.info(words[guarded]);
        if (flags.json === true) session.streams.stdout.write(`${JSON.stringify({ guarded })}\n`);
        return 0;
      }),
    );
}
