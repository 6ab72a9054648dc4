import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

export interface EncryptedLogsProps {
  readonly logGroupName: string;
  readonly retention: RetentionDays;
  /** A key of another stack, whose policy cannot be changed here, is not used. */
  readonly key: IKey;
}

/** ARN of a log group by its name: no reference to the group, so that a role's policy need not wait for it. */
export function logGroupArn(scope: Construct, logGroupName: string): string {
  return Stack.of(scope).formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: logGroupName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** A log group that goes with its stack, encrypted by `key`. */
export function encryptedLogs(scope: Construct, id: string, props: EncryptedLogsProps): LogGroup {
  const { logGroupName, retention, key } = props;
  const stack = Stack.of(scope);
  const { statementAdded } = key.addToResourcePolicy(
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    new PolicyStatement({
      principals: [new ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
      actions: [
        'kms:Encrypt',
        'kms:Decrypt',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
        'kms:GenerateDataKey',
        'kms:DescribeKey',
      ],
      resources: ['*'],
      conditions: { ArnEquals: { 'kms:EncryptionContext:aws:logs:arn': logGroupArn(scope, logGroupName) } },
    }),
  );
  return new LogGroup(scope, id, {
    logGroupName,
    retention,
    removalPolicy: RemovalPolicy.DESTROY,
    ...(statementAdded ? { encryptionKey: key } : {}),
  });
}
