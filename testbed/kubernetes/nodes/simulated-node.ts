/** A node as a kubelet, its cloud and NVIDIA's feature discovery would register it. */
export interface SimulatedNode {
  readonly name: string;
  readonly zone: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly resources: Readonly<Record<string, string>>;
}

interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: 'NoSchedule';
}

/** For which test a node is: no other pod comes there. Pods of the test select and tolerate it by `onPool`. */
const poolLabel = 'testbed.sluice.dev/pool';

/** Props of a construct whose pods are to run in a pool. */
export function onPool(pool: string) {
  return {
    nodeSelector: { [poolLabel]: pool },
    tolerations: [{ key: poolLabel, operator: 'Exists', effect: 'NoSchedule' }],
  } as const;
}

const machine = { cpu: '64', memory: '512Gi', 'ephemeral-storage': '4Ti', pods: '110' } as const;

/** A node without GPUs. */
export function cpuNode(name: string, zone: string, pool?: string): SimulatedNode {
  return {
    name,
    zone,
    labels: pool === undefined ? {} : { [poolLabel]: pool },
    taints: poolTaint(pool),
    resources: machine,
  };
}

function poolTaint(pool: string | undefined): readonly Taint[] {
  return pool === undefined ? [] : [{ key: poolLabel, value: pool, effect: 'NoSchedule' }];
}

/** What GPU nodes differ in. */
export interface GpuNode {
  readonly zone?: string;
  /** As NVIDIA's feature discovery calls the GPU: https://github.com/NVIDIA/k8s-device-plugin/tree/main/docs/gpu-feature-discovery */
  readonly product: string;
  /** As Karpenter calls it: https://karpenter.sh/docs/reference/instance-types/ */
  readonly karpenterName?: string;
  /** What is told of it as well. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What pods ask for. @default 'nvidia.com/gpu' */
  readonly resource?: string;
}

/** A node with eight GPUs (or shares of them), which pods have to tolerate. */
export function gpuNode(
  name: string,
  { zone = 'zone-a', product, karpenterName, labels, resource = 'nvidia.com/gpu' }: GpuNode,
): SimulatedNode {
  return {
    name,
    zone,
    labels: {
      'nvidia.com/gpu.present': 'true',
      'nvidia.com/gpu.count': '8',
      'nvidia.com/gpu.product': product,
      ...(karpenterName === undefined
        ? {}
        : {
            'karpenter.k8s.aws/instance-gpu-name': karpenterName,
            'karpenter.k8s.aws/instance-gpu-manufacturer': 'nvidia',
            'karpenter.k8s.aws/instance-gpu-count': '8',
            'karpenter.sh/capacity-type': 'on-demand',
          }),
      ...labels,
    },
    taints: [{ key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' }],
    resources: { ...machine, cpu: '192', memory: '2Ti', [resource]: '8' },
  };
}

/** The Node object of it. */
export function nodeObject({ name, zone, labels, taints, resources }: SimulatedNode): object {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'topology.kubernetes.io/region': 'region',
        'topology.kubernetes.io/zone': zone,
        ...labels,
      },
    },
    spec: { taints },
    status: { allocatable: resources, capacity: resources },
  };
}
