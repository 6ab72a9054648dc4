import type { Command } from 'commander';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import { perform, type Session } from './session.ts';

interface PermissionFlags extends CommonFlags {
  readonly policy: string;
  readonly account: string;
  readonly region?: string;
  readonly workspace?: string;
}

/** `sluice canary permissions`: what an AWS role needs, before the first rollout. */
export function addCanaryPermissions(parent: Command, session: Session): void {
  addCommonFlags(
    parent
      .command('permissions')
      .requiredOption('--account <digits>', 'the AWS account of the endpoint')
      .option('--policy <file>', 'the policy with the key "canary"', 'sluice.yaml')
      .option('--region <name>', "the AWS region; the policy's, else AWS_REGION, when not given")
      .option('--workspace <id>', 'the workspace of Managed Prometheus, where the policy has sigv4'),
  )
    .summary('the smallest AWS permissions for a rollout')
    .description(
      'Prints the IAM policy, as JSON, with which a rollout of this policy works and nothing else does: SageMaker, CloudWatch, Managed ' +
        'Prometheus. Asks nothing of AWS.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sluice canary permissions --account 111122223333 > rollout-policy.json
  $ aws iam put-role-policy --role-name ci --policy-name rollout --policy-document file://rollout-policy.json`,
    )
    .action((flags: PermissionFlags) =>
      perform(session, flags, async () => {
        const { resolve } = await import('node:path');
        const { readPolicy } = await import('../core/policy/index.ts');
        const { InputError } = await import('../core/problem/index.ts');
        const { leastPermissions } = await import('../rollout/index.ts');
        const { policy } = await readPolicy(resolve(session.streams.directory, flags.policy), flags.policy);
        const { account, region, workspace } = flags;
        const { canary } = policy;
        const permissions = canary === undefined ? undefined : leastPermissions(canary, { account, region, workspace });
        if (permissions === undefined) {
          throw new InputError({
            code: 'no-aws',
            message:
              canary === undefined ? 'the policy has no key "canary"' : 'a rollout of this policy asks nothing of AWS',
            place: { file: flags.policy, key: 'canary' },
            fix: 'Name the policy of a rollout with SageMaker, CloudWatch or Managed Prometheus with --policy.',
          });
        }
        session.streams.stdout.write(`${JSON.stringify(permissions, null, 2)}\n`);
        return 0;
      }),
    );
}
