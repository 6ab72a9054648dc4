import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { CustomResource } from '../crd/custom-resource.ts';
import {
  type Ec2NodeClassSpec,
  ec2NodeClass,
  type NodePoolRequirement,
  type NodePoolSpec,
  nodePool,
} from '../crd/karpenter.ts';
import { checkServiceName, type Labels, labelsOf } from '../labels.ts';
import { gpuTaintKey } from '../pod/gpu.ts';
import { type GpuName, gpuProduct } from '../pod/gpu-products.ts';
import { Findings } from '../problem.ts';
import type { Memory } from '../quantity.ts';

/** What the nodes are for, and with it when Karpenter may take one away. */
export type NodePurpose =
  /** Empty nodes go after ten minutes; a busy one is moved one at a time. */
  | 'serving'
  /** A node with a job is never taken away; an empty one after two minutes. */
  | 'training'
  /** Capacity that was paid for: what is given back may not come again. Only nodes that are too old are replaced. */
  | 'reserved';

export interface GpuNodePoolProps {
  /** Whose instances, by what they carry. */
  readonly gpus: readonly [GpuName, ...GpuName[]];
  /** GPUs of all nodes together, at most. Without a ceiling a loop in a Deployment buys every GPU of the region. */
  readonly maxGpus: number;
  /** @default 'serving' */
  readonly purpose?: NodePurpose;
  /**
   * Also `spot`: much cheaper, and gone within two minutes' notice.
   * @default ['on-demand']
   */
  readonly capacity?: readonly ('on-demand' | 'spot' | 'reserved')[];
  /** GPUs of one node: 1, 2, 4, 8. @default any */
  readonly gpusPerNode?: readonly number[];
  /** Availability zones. @default any */
  readonly zones?: readonly string[];
  /** @default ['amd64'] */
  readonly architectures?: readonly ('amd64' | 'arm64')[];
  /** Of several pools the one with the most is tried first, 1 to 100. @default none */
  readonly weight?: number;
  /** Of the nodes: `{ 'gpu-type': 'a100' }`. */
  readonly labels?: Labels;
  /** The cluster's name: subnets and security groups are those with the tag `karpenter.sh/discovery: <cluster>`. */
  readonly cluster: string;
  /** The IAM role of the nodes, by name. */
  readonly role: string;
  /** The release of Amazon Linux 2023's images: `v20260801`. Karpenter takes the one with NVIDIA's driver. */
  readonly amiVersion: string;
  /**
   * Root volume: images of model servers take tens of gigabytes.
   * @default 200Gi
   */
  readonly diskSize?: Memory;
  /** After which a node is replaced. @default 30 days */
  readonly expireAfter?: Duration;
}

/**
 * GPU nodes that come when a pod asks for them and go when none does: a Karpenter NodePool with its EC2NodeClass. The taint `nvidia.com/gpu`
 * keeps other pods away; every construct here that asks for a GPU tolerates it. Time slicing and MIG are the device plugin's business, and
 * Karpenter counts whole GPUs whatever it does (karpenter#729): use a pool of fixed size for sliced GPUs.
 */
export class GpuNodePool extends Construct {
  readonly nodePool: CustomResource<NodePoolSpec>;
  readonly nodeClass: CustomResource<Ec2NodeClassSpec>;

  /** @throws ConstructError */
  constructor(scope: Construct, id: string, props: GpuNodePoolProps) {
    super(scope, id);
    check(this, id, props);
    const { purpose = 'serving', cluster } = props;
    const metadata = { name: id, labels: labelsOf({ name: 'karpenter', instance: id, component: 'gpu-nodes' }) };
    const discovery = [{ tags: { 'karpenter.sh/discovery': cluster } }];
    const days = props.expireAfter === undefined ? 30 * 24 : Math.ceil(props.expireAfter.toHours({ integral: false }));
    this.nodeClass = new CustomResource(this, 'node-class', ec2NodeClass, {
      metadata,
      spec: {
        role: props.role,
        amiSelectorTerms: [{ alias: `al2023@${props.amiVersion}` }],
        subnetSelectorTerms: discovery,
        securityGroupSelectorTerms: discovery,
        blockDeviceMappings: [
          {
            deviceName: '/dev/xvda',
            rootVolume: true,
            ebs: {
              volumeSize: props.diskSize ?? '200Gi',
              volumeType: 'gp3',
              // Pulling a large image is bound by this.
              throughput: 500,
              iops: 6000,
              encrypted: true,
              deleteOnTermination: true,
            },
          },
        ],
        instanceStorePolicy: 'RAID0',
        // Pods cannot take the node's rights: a container is one hop too far.
        metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
      },
    });
    this.nodePool = new CustomResource(this, 'node-pool', nodePool, {
      metadata,
      spec: {
        template: {
          metadata: { labels: { 'sluice.dev/node-pool': id, ...props.labels } },
          spec: {
            nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: id },
            requirements: requirementsOf(props),
            taints: [{ key: gpuTaintKey, value: 'true', effect: 'NoSchedule' }],
            expireAfter: `${days}h`,
            terminationGracePeriod: purpose === 'training' ? '24h' : '1h',
          },
        },
        disruption: disruptionOf(purpose),
        limits: { 'nvidia.com/gpu': String(props.maxGpus) },
        weight: props.weight,
      },
    });
  }
}

function requirementsOf(props: GpuNodePoolProps): readonly NodePoolRequirement[] {
  const { gpus, capacity = ['on-demand'], gpusPerNode, zones, architectures = ['amd64'] } = props;
  const names = [...new Set(gpus.flatMap((name) => gpuProduct(name).karpenterName ?? []))];
  const isIn = (key: string, values: readonly string[]): NodePoolRequirement => ({ key, operator: 'In', values });
  return [
    isIn('karpenter.k8s.aws/instance-gpu-name', names),
    isIn('karpenter.k8s.aws/instance-gpu-manufacturer', ['nvidia']),
    isIn('karpenter.sh/capacity-type', capacity),
    isIn('kubernetes.io/arch', architectures),
    isIn('kubernetes.io/os', ['linux']),
    // Both A100s have one name; their memory, in MiB, tells them apart.
    ...(names.includes('a100') && !(gpus.includes('a100-40gb') && gpus.includes('a100-80gb'))
      ? [isIn('karpenter.k8s.aws/instance-gpu-memory', [gpus.includes('a100-40gb') ? '40960' : '81920'])]
      : []),
    ...(gpusPerNode === undefined ? [] : [isIn('karpenter.k8s.aws/instance-gpu-count', gpusPerNode.map(String))]),
    ...(zones === undefined ? [] : [isIn('topology.kubernetes.io/zone', zones)]),
  ];
}

function disruptionOf(purpose: NodePurpose): NodePoolSpec['disruption'] {
  switch (purpose) {
    case 'serving':
      return {
        consolidationPolicy: 'WhenEmptyOrUnderutilized',
        consolidateAfter: '10m',
        budgets: [{ nodes: '1' }],
      };
    case 'training':
      return {
        consolidationPolicy: 'WhenEmpty',
        consolidateAfter: '2m',
        budgets: [
          { nodes: '100%', reasons: ['Empty'] },
          { nodes: '0', reasons: ['Underutilized', 'Drifted'] },
        ],
      };
    case 'reserved':
      return { consolidationPolicy: 'WhenEmpty', consolidateAfter: 'Never', budgets: [{ nodes: '1' }] };
  }
}

function check(construct: Construct, id: string, props: GpuNodePoolProps): void {
  const { gpus, maxGpus, gpusPerNode = [], weight, amiVersion, purpose, capacity = [] } = props;
  const findings = new Findings(construct, 'GpuNodePool');
  checkServiceName(id, findings);
  findings.demand(Number.isInteger(maxGpus) && maxGpus > 0, () => ({
    code: 'no-gpu-limit',
    message: 'maxGpus is no number of GPUs, so nothing would bound what the pool costs',
    found: String(maxGpus),
    expected: 'a whole number from 1',
    fix: 'Set it to what you are willing to pay for.',
  }));
  for (const name of gpus) {
    findings.demand(gpuProduct(name).karpenterName !== undefined, () => ({
      code: 'gpu-not-on-aws',
      message: `gpus: AWS has no instances with ${name}`,
      fix: 'Choose another.',
    }));
  }
  const memory = gpus.some((name) => name === 'a100-40gb' || name === 'a100-80gb');
  findings.demand(!memory || gpus.every((name) => name === 'a100-40gb' || name === 'a100-80gb'), () => ({
    code: 'a100-with-others',
    message:
      'gpus has an A100 beside others: Karpenter calls both A100s one and tells them apart by their memory, which would leave the others out',
    found: gpus.join(', '),
    fix: 'Give the A100 a pool of its own.',
  }));
  const least = Math.min(...gpusPerNode);
  findings.demand(gpusPerNode.length === 0 || least <= maxGpus, () => ({
    code: 'limit-below-node',
    message: `maxGpus ${maxGpus} is less than the ${least} GPUs of one node, so no node would ever come`,
    fix: `Raise maxGpus to at least ${least}.`,
  }));
  findings.demand(
    gpusPerNode.every((count) => [1, 2, 4, 8].includes(count)),
    () => ({
      code: 'gpu-count',
      message: 'gpusPerNode has a number that no node has',
      found: gpusPerNode.join(', '),
      expected: '1, 2, 4 or 8',
      fix: 'Correct it.',
    }),
  );
  findings.demand(weight === undefined || (Number.isInteger(weight) && weight >= 1 && weight <= 100), () => ({
    code: 'bad-weight',
    message: 'weight is out of range',
    found: String(weight),
    expected: 'a whole number from 1 to 100',
    fix: 'Correct it.',
  }));
  findings.demand(/^v\d{8}$/.test(amiVersion), () => ({
    code: 'ami-not-pinned',
    message: 'amiVersion is no release, so nodes would be replaced whenever AWS publishes one, and with another driver',
    found: amiVersion,
    expected: 'v and a date, such as v20260801',
    fix: 'Name the release that was tested.',
  }));
  findings.demand(purpose !== 'reserved' || !capacity.includes('spot'), () => ({
    code: 'reserved-and-spot',
    message: "purpose 'reserved' keeps nodes that capacity 'spot' may take away at any time",
    fix: "Use 'reserved' or 'on-demand' capacity.",
  }));
  findings.throwIfAny();
}
