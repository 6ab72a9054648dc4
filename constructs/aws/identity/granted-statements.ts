import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import {
  type CanaryResources,
  canaryStatements,
  type PermissionStatement,
} from '../../../core/aws-permissions/index.ts';

/**
 * Lets `grantee` do what the statements say. Their Sids are left out: of two canaries granted to one role they would be the same, which IAM
 * refuses.
 */
export function grantStatements(grantee: IGrantable, statements: readonly PermissionStatement[]): Grant {
  return statements
    .map(({ Action, Resource, Condition }) =>
      Grant.addToPrincipal({
        grantee,
        actions: [...Action],
        resourceArns: [Resource].flat(),
        ...(Condition === undefined ? {} : { conditions: Condition }),
      }),
    )
    .reduce((all, one) => all.combine(one), Grant.drop(grantee, 'statements'));
}

/** Lets `grantee` run the canaries of these resources: what `sluice canary permissions` prints, and no more. */
export function grantCanary(grantee: IGrantable, resources: CanaryResources): Grant {
  return grantStatements(grantee, canaryStatements(resources));
}
