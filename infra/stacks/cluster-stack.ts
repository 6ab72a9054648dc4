import { CfnOutput, RemovalPolicy } from 'aws-cdk-lib';
import { FlowLogDestination, type IVpc, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { GpuCluster, GpuNodeGroup, KarpenterAccess, logGroupArn, logsMayUseKey } from '../../constructs/aws/index.ts';
import type { ClusterConfig } from '../config/cluster-schema.ts';
import type { Deployment } from '../config/deployment.ts';
import { EnvironmentStack } from './environment-stack.ts';
import { existingNetwork } from './existing-network.ts';
import type { StorageStack } from './storage-stack.ts';

/** Kubernetes for models on GPUs, in a network of its own or in that of the file. */
export class ClusterStack extends EnvironmentStack {
  readonly vpc: IVpc;
  readonly cluster: GpuCluster;
  readonly nodeGroups: Readonly<Record<string, GpuNodeGroup>>;
  readonly karpenter?: KarpenterAccess;

  constructor(scope: Construct, deployment: Deployment, storage: StorageStack, config: ClusterConfig) {
    super(scope, deployment, 'cluster', 'Kubernetes for models on GPUs');
    const { name, environmentName, environment } = deployment;
    const { node_groups: groups = {}, model_readers: readers = [], karpenter = false } = config;
    this.vpc =
      environment.network === undefined ? (this.#network(config) as IVpc) : existingNetwork(this, environment.network);
    this.cluster = new GpuCluster(this, 'Cluster', {
      clusterName: `${name}-${environmentName}`,
      version: config.version,
      vpc: this.vpc,
      admins: someOf(config.admins),
      ...(config.public_access_from === undefined ? {} : { publicAccessFrom: someOf(config.public_access_from) }),
    });
    this.nodeGroups = Object.fromEntries(
      Object.entries(groups).map(([group, { instance_types, max_gpus, desired_nodes, capacity, fabric }]) => [
        group,
        new GpuNodeGroup(this, `Nodes-${group}`, {
          cluster: this.cluster,
          instanceTypes: someOf(instance_types),
          maxGpus: max_gpus,
          ...(desired_nodes === undefined ? {} : { desiredNodes: desired_nodes }),
          ...(capacity === undefined ? {} : { capacity }),
          ...(fabric === true ? { fabric, subnets: { subnets: this.vpc.privateSubnets.slice(0, 1) } } : {}),
        }),
      ]),
    );
    if (karpenter) this.karpenter = new KarpenterAccess(this, 'Karpenter', { cluster: this.cluster });
    for (const { namespace, service_account: serviceAccount } of readers) {
      this.cluster.grantModelRead(storage.models, { namespace, serviceAccount }, `${name}/*`);
    }
    new CfnOutput(this, 'ClusterName', { value: this.cluster.clusterName });
  }

  /** Public and private subnets in every zone; who talked to whom is kept. */
  #network({ nat_gateways: natGateways = 1 }: ClusterConfig): Vpc {
    const logs = new Role(this, 'FlowLogRole', {
      assumedBy: new ServicePrincipal('vpc-flow-logs.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    });
    const vpc = new Vpc(this, 'Network', {
      natGateways,
      // Nothing stands in the public ones but the ways out, which bring addresses of their own.
      subnetConfiguration: [
        { name: 'Public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false },
        { name: 'Private', subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      ],
      // The default group is used by nothing here, and to empty it would take a function that may change groups.
      restrictDefaultSecurityGroup: false,
    });
    vpc.addFlowLog('All', { destination: FlowLogDestination.toCloudWatchLogs(this.#flowLogGroup(), logs) });
    return vpc;
  }

  #flowLogGroup(): LogGroup {
    const encryptionKey = new Key(this, 'FlowLogKey', {
      enableKeyRotation: true,
      description: `Flow logs of ${this.stackName}`,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    encryptionKey.addToResourcePolicy(logsMayUseKey(this, logGroupArn(this, '*')));
    return new LogGroup(this, 'FlowLogs', { encryptionKey, retention: RetentionDays.ONE_YEAR });
  }
}

/** As the schema let it through: with one at least. */
function someOf(values: readonly string[]): readonly [string, ...string[]] {
  const [first = '', ...rest] = values;
  return [first, ...rest];
}
