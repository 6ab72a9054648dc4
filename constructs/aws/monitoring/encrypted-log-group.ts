import { Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, PolicyDocument, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnLogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { logsMayUseKey } from '../log-encryption.ts';

export interface EncryptedLogGroupProps {
  /** What its name begins with: services ask for their own, such as `/aws/vendedlogs/`. The rest says which it is. */
  readonly prefix: string;
  readonly encryptionKey: IKey;
  /** @default a year */
  readonly retention?: RetentionDays;
  /** A service that writes, and the ARN of what it writes for. @default none: only who is granted it */
  readonly writer?: { readonly service: string; readonly sourceArn: string };
}

/**
 * A log group that a key encrypts. Its name is its own and known beforehand, so that key and policy can name it alone; it goes with its stack,
 * so that the stack can be made again.
 */
export class EncryptedLogGroup extends Construct {
  readonly group: CfnLogGroup;
  /** Without the `:*` at the end that means its streams. */
  readonly arn: string;

  constructor(scope: Construct, id: string, props: EncryptedLogGroupProps) {
    super(scope, id);
    const { prefix, encryptionKey, retention = RetentionDays.ONE_YEAR, writer } = props;
    const logGroupName = `${prefix}${Names.uniqueResourceName(this, { maxLength: 100, separator: '-' })}`;
    const { partition, region, account } = Stack.of(this);
    this.arn = `arn:${partition}:logs:${region}:${account}:log-group:${logGroupName}`;
    encryptionKey.addToResourcePolicy(logsMayUseKey(this, this.arn));
    this.group = new CfnLogGroup(this, 'Resource', {
      logGroupName,
      kmsKeyId: encryptionKey.keyArn,
      retentionInDays: retention,
      // On the group itself: of policies beside it an account has only ten in a region.
      ...(writer === undefined ? {} : { resourcePolicyDocument: this.#policy(writer) }),
    });
    this.group.applyRemovalPolicy(RemovalPolicy.DESTROY);
  }

  #policy({ service, sourceArn }: { readonly service: string; readonly sourceArn: string }): PolicyDocument {
    return new PolicyDocument({
      statements: [
        new PolicyStatement({
          effect: Effect.ALLOW,
          principals: [new ServicePrincipal(service)],
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [`${this.arn}:*`],
          conditions: { ArnLike: { 'aws:SourceArn': sourceArn } },
        }),
      ],
    });
  }
}
