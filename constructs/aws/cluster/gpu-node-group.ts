import { Size } from 'aws-cdk-lib';
import type { CfnLaunchTemplate } from 'aws-cdk-lib/aws-ec2';
import { CfnPlacementGroup, type Connections, type IConnectable, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { CfnNodegroup } from 'aws-cdk-lib/aws-eks';
import { Construct } from 'constructs';
import { Findings } from '../../problem/index.ts';
import { type AcceleratedInstance, accelerator, acceleratorProduct } from '../accelerators.ts';
import type { GpuCluster } from './gpu-cluster.ts';
import { groupProblems, groupWarnings } from './node-group-problems.ts';
import { type NodeSystem, nodeTemplate } from './node-template.ts';

export interface GpuNodeGroupProps {
  readonly cluster: GpuCluster;
  /** Of one architecture and one maker; the first is the one that is wanted most. With spot, several: each is another pool. */
  readonly instanceTypes: readonly [string, ...string[]];
  /** GPUs or Neuron devices of all nodes together, at most. Without a ceiling a loop in a Deployment buys every GPU of the region. */
  readonly maxGpus: number;
  /** @default 0 */
  readonly minNodes?: number;
  /** Nodes at deployment; every deployment that changes the group's size sets it again. @default `minNodes` */
  readonly desiredNodes?: number;
  /** `spot`: much cheaper, and gone within two minutes' notice. @default 'on-demand' */
  readonly capacity?: 'on-demand' | 'spot';
  /** What was reserved before, in one zone. @default none */
  readonly reservation?: NodeReservation;
  /** @default 'al2023' */
  readonly system?: NodeSystem;
  /** Of EKS, for instance types that its documentation names no image for. @default that of the instance types */
  readonly amiType?: string;
  /** Of the image: `1.34.2-20261101`. @default the latest when the group is made or the cluster's version moves */
  readonly imageRelease?: string;
  /** Private ones. @default the cluster's; one alone is wanted with `fabric` or a reservation, since both are of one zone */
  readonly subnets?: SubnetSelection;
  /** Of the root volume: images of model servers take tens of gigabytes. @default 200 GiB */
  readonly disk?: Size;
  /** Every Elastic Fabric Adapter that the instances can have, in a placement group, for training over several nodes. @default false */
  readonly fabric?: boolean;
  /** How GPUs are divided, which the Kubernetes constructs' `GpuDevicePlugin` finds by the label `sluice.dev/gpu-partition`. @default not at all */
  readonly partition?: 'mig' | 'time-slicing';
  /** Of the nodes: `{ 'gpu-type': 'l4' }`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Keeps pods without need of a GPU away. @default true */
  readonly taint?: boolean;
  /** When nodes are replaced by newer ones: `first-new` needs room for one more, `first-old` none. @default 'first-old' with a reservation or fabric, else 'first-new' */
  readonly replacement?: 'first-new' | 'first-old';
}

/** Capacity that is the account's already. */
export interface NodeReservation {
  /** `cr-0123456789abcdef0`. */
  readonly id: string;
  /** A capacity block for machine learning: of one instance type, from a day to a day. @default false */
  readonly capacityBlock?: boolean;
}

/**
 * Managed nodes with GPUs or Neuron chips, with the image that has their driver: EKS's and the CDK's own choice has none for p5, g6 and ARM. The
 * taint `nvidia.com/gpu` (`aws.amazon.com/neuron`) keeps other pods away; the Kubernetes constructs tolerate it. No node comes by itself: set
 * `desiredNodes`, or run the cluster autoscaler. For nodes that come when a pod asks, see `KarpenterAccess`.
 *
 * The device plugin that offers GPUs to pods (`GpuDevicePlugin` of the Kubernetes constructs) is no part of it: EKS has no add-on for it.
 */
export class GpuNodeGroup extends Construct implements IConnectable {
  /** For what is not offered here. */
  readonly nodeGroup: CfnNodegroup;
  readonly launchTemplate: CfnLaunchTemplate;
  readonly placementGroup?: CfnPlacementGroup;
  /** Of every node of the cluster. */
  readonly connections: Connections;
  readonly instances: readonly AcceleratedInstance[];
  /** What `maxGpus` comes to. */
  readonly maxNodes: number;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: GpuNodeGroupProps) {
    super(scope, id);
    const { cluster, instanceTypes, maxGpus, capacity = 'on-demand', reservation, system = 'al2023' } = props;
    const { minNodes = 0, desiredNodes = minNodes, disk = Size.gibibytes(200), taint = true } = props;
    const selection = props.subnets ?? cluster.subnets;
    const findings = new Findings(this, 'GpuNodeGroup');
    findings.add(...groupProblems(props, cluster.vpc, selection));
    findings.throwIfAny();
    for (const warning of groupWarnings(props)) findings.warn(warning);
    this.instances = instanceTypes.flatMap((type) => accelerator(type) ?? []);
    this.maxNodes = Math.floor(maxGpus / Math.max(...this.instances.map(({ count }) => count)));
    const [first] = this.instances;
    if (first === undefined) throw new Error('unreachable: instanceTypes were checked');
    const fabric = props.fabric === true ? first : undefined;
    if (fabric !== undefined) {
      this.placementGroup = new CfnPlacementGroup(this, 'Placement', { strategy: 'cluster' });
    }
    this.launchTemplate = nodeTemplate(this, 'Template', {
      system,
      disk,
      securityGroupIds: [cluster.nodeSecurityGroup.securityGroupId],
      localDisks: this.instances.some(({ nvmeGb }) => nvmeGb > 0),
      fabric,
      placementGroup: this.placementGroup?.attrGroupName,
      reservation:
        reservation === undefined
          ? undefined
          : {
              ...(reservation.capacityBlock === true
                ? {}
                : { capacityReservationPreference: 'capacity-reservations-only' }),
              capacityReservationTarget: { capacityReservationId: reservation.id },
            },
      capacityBlock: reservation?.capacityBlock === true ? first.instanceType : undefined,
      tags: { Name: `${cluster.clusterName}-${id}` },
    });
    const inPlace = (props.replacement ?? (reservation || fabric ? 'first-old' : 'first-new')) === 'first-old';
    this.nodeGroup = new CfnNodegroup(this, 'Resource', {
      clusterName: cluster.cluster.ref,
      version: cluster.version,
      nodeRole: cluster.nodeRole.roleArn,
      subnets: cluster.vpc.selectSubnets(selection).subnetIds,
      amiType: props.amiType ?? first.images[system] ?? '',
      ...(props.imageRelease === undefined ? {} : { releaseVersion: props.imageRelease }),
      capacityType: reservation?.capacityBlock === true ? 'CAPACITY_BLOCK' : capacity === 'spot' ? 'SPOT' : 'ON_DEMAND',
      ...(reservation?.capacityBlock === true ? {} : { instanceTypes: [...instanceTypes] }),
      scalingConfig: { minSize: minNodes, desiredSize: desiredNodes, maxSize: this.maxNodes },
      updateConfig: { maxUnavailable: 1, updateStrategy: inPlace ? 'MINIMAL' : 'DEFAULT' },
      nodeRepairConfig: { enabled: true },
      launchTemplate: { id: this.launchTemplate.ref, version: this.launchTemplate.attrLatestVersionNumber },
      labels: this.#labels(id, props),
      ...(taint ? { taints: [{ key: taintKey(first), value: 'true', effect: 'NO_SCHEDULE' }] } : {}),
    });
    this.nodeGroup.node.addDependency(...cluster.networkReady);
    this.connections = cluster.nodeSecurityGroup.connections;
  }

  #labels(id: string, { partition, labels = {} }: GpuNodeGroupProps): Readonly<Record<string, string>> {
    const [name, ...others] = new Set(this.instances.map(({ product }) => acceleratorProduct(product).karpenterName));
    const nvidia = this.instances.every(({ vendor }) => vendor === 'nvidia');
    return {
      'sluice.dev/node-pool': id,
      // So that pods which say `gpu.labels: 'karpenter-aws'` find their GPU here, too.
      ...(name !== undefined && others.length === 0
        ? { [`karpenter.k8s.aws/instance-${nvidia ? 'gpu' : 'accelerator'}-name`]: name }
        : {}),
      ...(partition === undefined ? {} : { 'sluice.dev/gpu-partition': partition }),
      ...labels,
    };
  }
}

/** As the device plugins' own resources are called. */
function taintKey({ vendor }: AcceleratedInstance): string {
  return vendor === 'nvidia' ? 'nvidia.com/gpu' : 'aws.amazon.com/neuron';
}
