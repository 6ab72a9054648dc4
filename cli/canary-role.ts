import { type Command, Option } from 'commander';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import { perform, type Session } from './session.ts';

interface RoleFlags extends CommonFlags {
  readonly policy: string;
  readonly serviceAccount: string;
  readonly user?: string;
  readonly group?: string;
}

/** `sluice canary role`: what an administrator applies before the first rollout. */
export function addCanaryRole(parent: Command, session: Session): void {
  addCommonFlags(
    parent
      .command('role')
      .option('--policy <file>', 'the policy with the key "canary"', 'sluice.yaml')
      .option('--service-account <name>', 'who runs rollouts, in the namespace of the object', 'sluice-rollout')
      .addOption(new Option('--user <name>', 'who runs rollouts, as the cluster calls them').conflicts('group'))
      .addOption(new Option('--group <name>', 'the same for a group')),
  )
    .summary('the smallest Kubernetes role for a rollout')
    .description(
      'Prints the Role and RoleBinding, as YAML for kubectl, with which a rollout of this policy works and nothing else does; with a guard, also ' +
        'those of its service account. Asks no cluster.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sluice canary role | kubectl apply -f -
  $ sluice canary role --user arn:aws:iam::111122223333:role/ci`,
    )
    .action((flags: RoleFlags) =>
      perform(session, flags, async () => {
        const { resolve } = await import('node:path');
        const { stringify } = await import('yaml');
        const { readPolicy } = await import('../core/policy/index.ts');
        const { InputError } = await import('../core/problem/index.ts');
        const { kubernetesTrafficOf, roleManifests } = await import('../rollout/index.ts');
        const { policy } = await readPolicy(resolve(session.streams.directory, flags.policy), flags.policy);
        const { canary } = policy;
        const traffic = canary === undefined ? undefined : kubernetesTrafficOf(canary.traffic);
        if (canary === undefined || traffic === undefined) {
          throw new InputError({
            code: 'no-cluster',
            message:
              canary === undefined
                ? 'the policy has no key "canary"'
                : `${canary.traffic.provider} moves traffic outside of Kubernetes`,
            place: { file: flags.policy, key: canary === undefined ? 'canary' : 'canary.traffic.provider' },
            expected: 'istio, gateway-api, kserve or seldon',
            fix: 'Roles are for rollouts in a cluster: name the policy of one with --policy.',
          });
        }
        const { user, group, serviceAccount } = flags;
        const manifests = roleManifests(traffic, {
          subject:
            user !== undefined
              ? { kind: 'User', name: user }
              : group !== undefined
                ? { kind: 'Group', name: group }
                : { kind: 'ServiceAccount', name: serviceAccount },
          ...(canary.guard === undefined || canary.guard === false
            ? {}
            : { guardAccount: canary.guard.service_account }),
        });
        session.streams.stdout.write(
          flags.json === true
            ? `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }, null, 2)}\n`
            : manifests.map((manifest) => stringify(manifest)).join('---\n'),
        );
        return 0;
      }),
    );
}
