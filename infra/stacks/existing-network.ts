import { Annotations } from 'aws-cdk-lib';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { NetworkConfig } from '../config/network-schema.ts';

/** The VPC of the file, by the ids that the file has: the account is asked nothing. */
export function existingNetwork(scope: Construct, { vpc, private_subnets: subnets }: NetworkConfig): IVpc {
  const network = Vpc.fromVpcAttributes(scope, 'Network', {
    vpcId: vpc,
    availabilityZones: Object.keys(subnets),
    privateSubnetIds: Object.values(subnets),
  });
  // Nothing here routes: the tables are their owner's.
  Annotations.of(network).acknowledgeWarning('@aws-cdk/aws-ec2:noSubnetRouteTableId');
  return network;
}
