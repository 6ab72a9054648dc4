import { PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** A statement of an identity's policy that allows `actions` on the ARNs `resources`, where the conditions hold. */
export function allowance(
  actions: readonly string[],
  resources: readonly string[],
  conditions?: Readonly<Record<string, unknown>>,
  sid?: string,
): PolicyStatement {
  return new PolicyStatement({
    ...(sid === undefined ? {} : { sid }),
    actions: [...actions],
    resources: [...resources],
    ...(conditions === undefined ? {} : { conditions }),
  });
}

/** Adds to a role's policy what it may do, with the parameters of `allowance`. */
export type Allow = (...allowed: Parameters<typeof allowance>) => void;
