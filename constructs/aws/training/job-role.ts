import { Stack } from 'aws-cdk-lib';
import type { IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { type Allow, allowance } from '../identity/allowance.ts';

/** What is asked of a bucket, which `Bucket` and `IBucket` both are. */
export interface FolderBucket {
  readonly bucketName: string;
  readonly bucketArn: string;
  readonly encryptionKey?: IKey | undefined;
  arnForObjects(keyPattern: string): string;
}

/** A folder of a bucket. */
export interface BucketFolder {
  /** `models.bucket` of a `ModelBucket`, or any other. */
  readonly bucket: FolderBucket;
  /** `churn/data`. @default the whole bucket */
  readonly prefix?: string;
}

/** The prefix with a slash at its end; empty for the whole bucket. */
export function prefixOf({ prefix = '' }: BucketFolder): string {
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
}

/** What a job may reach, and nothing more. */
export interface JobRights {
  readonly kind: 'TrainingJobs' | 'ProcessingJobs';
  readonly description: string;
  readonly image: Pick<IRepository, 'grantPull'>;
  readonly reads: readonly BucketFolder[];
  readonly writes: readonly BucketFolder[];
  /** Of its disks. */
  readonly volumeKey: IKey | undefined;
  /** Of what it writes, where it is not the bucket's. */
  readonly outputKey: IKey | undefined;
  readonly network: JobNetwork | undefined;
}

export interface JobNetwork {
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  readonly securityGroupIds: readonly string[];
}

/**
 * The role of a job of SageMaker: its folders, its image, its logs, its keys, and network interfaces in its own subnets.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createtrainingjob-perms
 */
export function jobRole(scope: Construct, id: string, rights: JobRights): Role {
  const { account, region, partition } = Stack.of(scope);
  const { kind, image, reads, writes, volumeKey, outputKey, network } = rights;
  const role = new Role(scope, id, {
    description: rights.description,
    assumedBy: new ServicePrincipal('sagemaker.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': account } },
    }),
  });
  const allow: Allow = (...allowed) => {
    role.addToPolicy(allowance(...allowed));
  };
  const objects = (folder: BucketFolder): string => folder.bucket.arnForObjects(`${prefixOf(folder)}*`);
  for (const folder of [...reads, ...writes]) {
    const prefix = prefixOf(folder);
    allow(
      ['s3:ListBucket'],
      [folder.bucket.bucketArn],
      prefix === '' ? undefined : { StringLike: { 's3:prefix': [prefix, `${prefix}*`] } },
    );
  }
  for (const folder of reads) {
    allow(['s3:GetObject'], [objects(folder)]);
    folder.bucket.encryptionKey?.grant(role, 'kms:Decrypt');
  }
  for (const folder of writes) {
    allow(['s3:PutObject', 's3:AbortMultipartUpload'], [objects(folder)]);
    // The parts of a large upload are put together by who can also read them: hence kms:Decrypt.
    folder.bucket.encryptionKey?.grant(role, 'kms:GenerateDataKey', 'kms:Decrypt', 'kms:Encrypt');
  }
  outputKey?.grant(role, 'kms:GenerateDataKey', 'kms:Decrypt', 'kms:Encrypt');
  if (volumeKey !== undefined) {
    allow(['kms:CreateGrant'], [volumeKey.keyArn], { Bool: { 'kms:GrantIsForAWSResource': 'true' } });
  }
  image.grantPull(role);
  const logs = `arn:${partition}:logs:${region}:${account}:log-group:/aws/sagemaker/${kind}`;
  allow(
    ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
    [logs, `${logs}:log-stream:*`],
  );
  allow(['cloudwatch:PutMetricData'], ['*'], {
    StringEquals: { 'cloudwatch:namespace': `/aws/sagemaker/${kind}` },
  });
  if (network !== undefined) allowInterfaces(scope, allow, network);
  return role;
}

/** https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html: a job in a VPC makes network interfaces there, and clears them away. */
function allowInterfaces(scope: Construct, allow: Allow, { vpc, subnets, securityGroupIds }: JobNetwork): void {
  const { account, region, partition } = Stack.of(scope);
  const arn = (kind: string, id: string): string => `arn:${partition}:ec2:${region}:${account}:${kind}/${id}`;
  const interfaces = arn('network-interface', '*');
  allow(
    ['ec2:CreateNetworkInterface'],
    [
      interfaces,
      ...vpc.selectSubnets(subnets).subnetIds.map((id) => arn('subnet', id)),
      ...securityGroupIds.map((id) => arn('security-group', id)),
    ],
  );
  allow(
    ['ec2:CreateNetworkInterfacePermission', 'ec2:DeleteNetworkInterface', 'ec2:DeleteNetworkInterfacePermission'],
    [interfaces],
  );
  allow(
    [
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeVpcs',
      'ec2:DescribeDhcpOptions',
      'ec2:DescribeSubnets',
      'ec2:DescribeSecurityGroups',
    ],
    ['*'],
  );
}
