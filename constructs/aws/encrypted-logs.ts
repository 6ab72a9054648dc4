import { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { logGroupArn, logsMayUseKey } from './log-encryption.ts';

export interface EncryptedLogsProps {
  readonly logGroupName: string;
  readonly retention: RetentionDays;
  /** A key of another stack, whose policy cannot be changed here, is not used. */
  readonly key: IKey;
  /** What becomes of it when its stack goes. @default it goes too */
  readonly removalPolicy?: RemovalPolicy;
}

/** A log group that is encrypted by `key`. */
export function encryptedLogs(scope: Construct, id: string, props: EncryptedLogsProps): LogGroup {
  const { logGroupName, retention, key, removalPolicy = RemovalPolicy.DESTROY } = props;
  const { statementAdded } = key.addToResourcePolicy(logsMayUseKey(scope, logGroupArn(scope, logGroupName)));
  return new LogGroup(scope, id, {
    logGroupName,
    retention,
    removalPolicy,
    ...(statementAdded ? { encryptionKey: key } : {}),
  });
}
