import { Token } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ConstructProblem } from '../../problem/index.ts';

/** A folder of a bucket. What SageMaker writes there is encrypted by the bucket's key, where it has one of its own. */
export interface StoredPlace {
  readonly bucket: IBucket;
  /** `churn/captured`, without slashes at its ends. */
  readonly prefix: string;
}

export function placeUri({ bucket, prefix }: StoredPlace): string {
  return `s3://${bucket.bucketName}/${prefix}`;
}

/** Lets write new objects below it, and no more. */
export function grantWrite(place: StoredPlace, grantee: IGrantable): Grant {
  return grantObjects(place, grantee, ['s3:PutObject'], ['kms:GenerateDataKey', 'kms:Decrypt']);
}

/** Lets read what is below it. */
export function grantReadBelow(place: StoredPlace, grantee: IGrantable): Grant {
  const list = Grant.addToPrincipalOrResource({
    grantee,
    actions: ['s3:ListBucket'],
    resourceArns: [place.bucket.bucketArn],
    resource: place.bucket,
    conditions: { StringLike: { 's3:prefix': `${place.prefix}/*` } },
  });
  return grantObjects(place, grantee, ['s3:GetObject'], ['kms:Decrypt']).combine(list);
}

function grantObjects(
  { bucket, prefix }: StoredPlace,
  grantee: IGrantable,
  actions: readonly string[],
  keyActions: readonly string[],
): Grant {
  const objects = Grant.addToPrincipalOrResource({
    grantee,
    actions: [...actions],
    resourceArns: [bucket.arnForObjects(`${prefix}/*`)],
    resource: bucket,
  });
  const key = bucket.encryptionKey;
  return key === undefined ? objects : objects.combine(key.grant(grantee, ...keyActions));
}

export function placeProblems({ prefix }: StoredPlace, prop: string): readonly ConstructProblem[] {
  if (Token.isUnresolved(prefix) || /^[^/\s*?](?:[^\s*?]*[^/\s*?])?$/.test(prefix)) return [];
  return [
    {
      code: 'bad-prefix',
      message: `${prop}.prefix is no folder`,
      found: prefix,
      expected: 'churn/captured, without slashes at its ends and without patterns',
      fix: 'Write it as a folder of its own, so that nothing else may be read or written by it.',
    },
  ];
}
