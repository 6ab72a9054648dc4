import { Stack } from 'aws-cdk-lib';
import type { ISecurityGroup, ISubnet, IVpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { sageMakerMetrics } from '../../../core/telemetry/index.ts';
import { type Allow, allowance } from '../identity/allowance.ts';

/** Where instances have network interfaces of their own. */
export interface ModelNetwork {
  readonly vpc: IVpc;
  readonly subnets: readonly ISubnet[];
  readonly securityGroups: readonly ISecurityGroup[];
}

export interface ExecutionRoleOptions {
  /** ARN of the log group, without the streams. */
  readonly logGroupArn: string;
  readonly network?: ModelNetwork | undefined;
  /** Of the instances' volumes. */
  readonly volumeKey?: IKey | undefined;
}

/**
 * The role that SageMaker takes on for a model: its logs, its metrics, and what is granted to it later. Not `AmazonSageMakerFullAccess`, which
 * the CDK's own task gives.
 */
export function executionRole(scope: Construct, id: string, options: ExecutionRoleOptions): Role {
  const { logGroupArn, network, volumeKey } = options;
  const stack = Stack.of(scope);
  const role = new Role(scope, id, {
    // https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
    assumedBy: new ServicePrincipal('sagemaker.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
    }),
    description: `Runs the models of ${scope.node.path}`.slice(0, 1000),
  });
  const allow: Allow = (...allowed) => {
    role.addToPolicy(allowance(...allowed));
  };
  allow(
    ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
    [logGroupArn, `${logGroupArn}:log-stream:*`],
  );
  // CloudWatch takes no resource for it, but knows the namespace.
  allow(['cloudwatch:PutMetricData'], ['*'], {
    // The namespace of instances, and its neighbours: of transform jobs and the like.
    StringLike: { 'cloudwatch:namespace': sageMakerMetrics.processor.namespace.replace(/[^/]+$/, '*') },
  });
  if (network !== undefined) allowNetwork(stack, network, allow);
  // SageMaker passes the key on to the volumes it makes, for as long as they are.
  if (volumeKey !== undefined) {
    volumeKey.grant(role, 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKeyWithoutPlaintext');
    allow(['kms:CreateGrant'], [volumeKey.keyArn], { Bool: { 'kms:GrantIsForAWSResource': 'true' } });
  }
  return role;
}

/** https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html: a model in a VPC. */
function allowNetwork(stack: Stack, { vpc, subnets, securityGroups }: ModelNetwork, allow: Allow): void {
  const arn = (resource: string): string => `arn:${stack.partition}:ec2:${stack.region}:${stack.account}:${resource}`;
  const interfaces = arn('network-interface/*');
  allow(
    ['ec2:CreateNetworkInterface'],
    [
      interfaces,
      ...subnets.map(({ subnetId }) => arn(`subnet/${subnetId}`)),
      ...securityGroups.map(({ securityGroupId }) => arn(`security-group/${securityGroupId}`)),
    ],
  );
  allow(
    ['ec2:CreateNetworkInterfacePermission', 'ec2:DeleteNetworkInterface', 'ec2:DeleteNetworkInterfacePermission'],
    [interfaces],
    { ArnEquals: { 'ec2:Vpc': arn(`vpc/${vpc.vpcId}`) } },
  );
  // What EC2 describes, it describes to all or to nobody.
  allow(
    [
      'ec2:DescribeDhcpOptions',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSubnets',
      'ec2:DescribeVpcs',
    ],
    ['*'],
  );
}
