/** What is known of an NVIDIA GPU. */
export interface GpuProduct {
  /** Values of the node label `nvidia.com/gpu.product` that GPU feature discovery sets, for every board of it. */
  readonly productLabels: readonly string[];
  /** Value of Karpenter's `karpenter.k8s.aws/instance-gpu-name`; absent: AWS has none. */
  readonly karpenterName?: string;
  /** GiB on one GPU. */
  readonly memoryGi: number;
  /** https://developer.nvidia.com/cuda-gpus */
  readonly computeCapability: number;
  /** https://docs.nvidia.com/datacenter/tesla/mig-user-guide/supported-mig-profiles.html; empty: it cannot be divided. */
  readonly migProfiles: readonly string[];
}

const eightyGb = ['1g.10gb', '1g.10gb+me', '1g.20gb', '2g.20gb', '3g.40gb', '4g.40gb', '7g.80gb'] as const;

/** By the name used in props. */
export const gpuProducts = {
  t4: { productLabels: ['Tesla-T4'], karpenterName: 't4', memoryGi: 16, computeCapability: 7.5, migProfiles: [] },
  v100: {
    productLabels: ['Tesla-V100-SXM2-16GB', 'Tesla-V100-SXM2-32GB'],
    karpenterName: 'v100',
    memoryGi: 16,
    computeCapability: 7,
    migProfiles: [],
  },
  a10g: {
    productLabels: ['NVIDIA-A10G'],
    karpenterName: 'a10g',
    memoryGi: 24,
    computeCapability: 8.6,
    migProfiles: [],
  },
  a30: {
    productLabels: ['NVIDIA-A30'],
    memoryGi: 24,
    computeCapability: 8,
    migProfiles: ['1g.6gb', '1g.6gb+me', '2g.12gb', '2g.12gb+me', '4g.24gb'],
  },
  'a100-40gb': {
    productLabels: ['NVIDIA-A100-SXM4-40GB', 'NVIDIA-A100-PCIE-40GB'],
    karpenterName: 'a100',
    memoryGi: 40,
    computeCapability: 8,
    migProfiles: ['1g.5gb', '1g.5gb+me', '1g.10gb', '2g.10gb', '3g.20gb', '4g.20gb', '7g.40gb'],
  },
  'a100-80gb': {
    productLabels: ['NVIDIA-A100-SXM4-80GB', 'NVIDIA-A100-80GB-PCIe'],
    karpenterName: 'a100',
    memoryGi: 80,
    computeCapability: 8,
    migProfiles: eightyGb,
  },
  l4: { productLabels: ['NVIDIA-L4'], karpenterName: 'l4', memoryGi: 24, computeCapability: 8.9, migProfiles: [] },
  l40s: {
    productLabels: ['NVIDIA-L40S'],
    karpenterName: 'l40s',
    memoryGi: 48,
    computeCapability: 8.9,
    migProfiles: [],
  },
  'h100-80gb': {
    productLabels: ['NVIDIA-H100-80GB-HBM3', 'NVIDIA-H100-PCIe'],
    karpenterName: 'h100',
    memoryGi: 80,
    computeCapability: 9,
    migProfiles: eightyGb,
  },
  h200: {
    productLabels: ['NVIDIA-H200'],
    karpenterName: 'h200',
    memoryGi: 141,
    computeCapability: 9,
    migProfiles: ['1g.18gb', '1g.18gb+me', '1g.35gb', '2g.35gb', '3g.71gb', '4g.71gb', '7g.141gb'],
  },
  b200: {
    productLabels: ['NVIDIA-B200'],
    karpenterName: 'b200',
    memoryGi: 180,
    computeCapability: 10,
    migProfiles: ['1g.23gb', '1g.23gb+me', '1g.45gb', '2g.45gb', '3g.90gb', '4g.90gb', '7g.180gb'],
  },
} as const satisfies Readonly<Record<string, GpuProduct>>;

export type GpuName = keyof typeof gpuProducts;

/** The entry of a name, with the type every entry has. */
export function gpuProduct(name: GpuName): GpuProduct {
  return gpuProducts[name];
}
