import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/** ARN of a log group by its name: no reference to the group, so that a role's policy need not wait for it. */
export function logGroupArn(scope: Construct, logGroupName: string): string {
  return Stack.of(scope).formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: logGroupName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/**
 * What CloudWatch Logs needs of a key. Its guide allows `kms:Encrypt*`, `Decrypt*`, `ReEncrypt*`, `GenerateDataKey*` and `Describe*`
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html); these are the actions that those patterns cover for a symmetric
 * key, the only kind that it takes. Pairs of data keys, which the fourth covers too, are of no use to it.
 */
const actions = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:DescribeKey',
] as const;

/** In a key's own policy: CloudWatch Logs of the region may use it for the log group of `arn`, or for those that its pattern names. */
export function logsMayUseKey(scope: Construct, arn: string): PolicyStatement {
  return new PolicyStatement({
    principals: [new ServicePrincipal(`logs.${Stack.of(scope).region}.amazonaws.com`)],
    actions: [...actions],
    // In a key's own policy, * is the key.
    resources: ['*'],
    conditions: { [arn.endsWith('*') ? 'ArnLike' : 'ArnEquals']: { 'kms:EncryptionContext:aws:logs:arn': arn } },
  });
}
