import { allow, type PermissionStatement } from './permission-statement.ts';

/** What `sluice verify-bucket` asks of a bucket without access control lists and of the objects below a prefix. */
export function verifyBucketStatements(bucketArn: string, objectsArn: string): readonly PermissionStatement[] {
  return [
    allow(
      'Bucket',
      [
        's3:GetBucketVersioning',
        's3:GetBucketPublicAccessBlock',
        's3:GetBucketPolicyStatus',
        's3:GetBucketOwnershipControls',
        's3:GetEncryptionConfiguration',
      ],
      bucketArn,
    ),
    allow('Objects', ['s3:GetObject', 's3:GetObjectVersion'], objectsArn),
  ];
}
