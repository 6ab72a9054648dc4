import { nearestName } from '../../core/text/index.ts';
import type { ConstructProblem } from '../problem/index.ts';
import { type SageMakerUse, sageMakerSizes } from './sage-maker-instances.ts';

/** What is known of one kind of GPU or Neuron chip. */
export interface AcceleratorProduct {
  readonly vendor: 'nvidia' | 'neuron';
  /** GiB on one, as it is sold; of a card sold by the gigabyte EC2 tells up to 7 % less. */
  readonly memoryGi: number;
  /** Value of Karpenter's `karpenter.k8s.aws/instance-gpu-name`, or of `instance-accelerator-name` for Neuron. */
  readonly karpenterName: string;
  /** Brain floating point: from compute capability 8.0, https://developer.nvidia.com/cuda-gpus */
  readonly bf16: boolean;
  /** Eight-bit floating point: from compute capability 8.9. */
  readonly fp8: boolean;
  /** Whether it can be divided: https://docs.nvidia.com/datacenter/tesla/mig-user-guide/supported-gpus.html */
  readonly mig: boolean;
}

const nvidia = { vendor: 'nvidia' } as const;
/** https://awsdocs-neuron.readthedocs-hosted.com/en/latest/about-neuron/arch/index.html */
const neuron = { vendor: 'neuron', mig: false } as const;

/** By name: GPUs have the names that they have in the Kubernetes constructs (`gpus: ['l4']`). */
export const acceleratorProducts = {
  t4: { ...nvidia, memoryGi: 16, karpenterName: 't4', bf16: false, fp8: false, mig: false },
  t4g: { ...nvidia, memoryGi: 16, karpenterName: 't4g', bf16: false, fp8: false, mig: false },
  'v100-32gb': { ...nvidia, memoryGi: 32, karpenterName: 'v100', bf16: false, fp8: false, mig: false },
  a10g: { ...nvidia, memoryGi: 24, karpenterName: 'a10g', bf16: true, fp8: false, mig: false },
  'a100-40gb': { ...nvidia, memoryGi: 40, karpenterName: 'a100', bf16: true, fp8: false, mig: true },
  'a100-80gb': { ...nvidia, memoryGi: 80, karpenterName: 'a100', bf16: true, fp8: false, mig: true },
  l4: { ...nvidia, memoryGi: 24, karpenterName: 'l4', bf16: true, fp8: true, mig: false },
  l40s: { ...nvidia, memoryGi: 48, karpenterName: 'l40s', bf16: true, fp8: true, mig: false },
  'rtx-pro-4500': { ...nvidia, memoryGi: 32, karpenterName: 'rtx-pro-4500', bf16: true, fp8: true, mig: true },
  'rtx-pro-6000': { ...nvidia, memoryGi: 96, karpenterName: 'rtx-pro-server-6000', bf16: true, fp8: true, mig: true },
  'h100-80gb': { ...nvidia, memoryGi: 80, karpenterName: 'h100', bf16: true, fp8: true, mig: true },
  h200: { ...nvidia, memoryGi: 141, karpenterName: 'h200', bf16: true, fp8: true, mig: true },
  b200: { ...nvidia, memoryGi: 180, karpenterName: 'b200', bf16: true, fp8: true, mig: true },
  b300: { ...nvidia, memoryGi: 268, karpenterName: 'b300', bf16: true, fp8: true, mig: true },
  inferentia: { ...neuron, memoryGi: 8, karpenterName: 'inferentia', bf16: true, fp8: false },
  inferentia2: { ...neuron, memoryGi: 32, karpenterName: 'inferentia2', bf16: true, fp8: true },
  trainium: { ...neuron, memoryGi: 32, karpenterName: 'trainium', bf16: true, fp8: true },
  // DescribeInstanceTypes tells 512 GiB, of which https://awsdocs-neuron.readthedocs-hosted.com/en/latest/nki/arch/trainium2_arch.html knows 96.
  trainium2: { ...neuron, memoryGi: 96, karpenterName: 'trainium2', bf16: true, fp8: true },
} as const satisfies Readonly<Record<string, AcceleratorProduct>>;

export type AcceleratorName = keyof typeof acceleratorProducts;

export type CpuArchitecture = 'x86_64' | 'arm64';

/** Values of `AmiType` of an EKS node group that bring the driver. */
export interface EksImages {
  readonly al2023?: 'AL2023_x86_64_NVIDIA' | 'AL2023_ARM_64_NVIDIA' | 'AL2023_x86_64_NEURON';
  /** For Neuron the plain one, which has the driver. */
  readonly bottlerocket?: 'BOTTLEROCKET_x86_64_NVIDIA' | 'BOTTLEROCKET_ARM_64_NVIDIA' | 'BOTTLEROCKET_x86_64';
}

/** One EC2 instance type with accelerators. */
export interface AcceleratedInstance {
  readonly instanceType: string;
  /** The part before the point. */
  readonly family: string;
  readonly product: AcceleratorName;
  readonly vendor: AcceleratorProduct['vendor'];
  /** Accelerators that a container can ask for. */
  readonly count: number;
  /** Of one accelerator that is shared with other instances, the part this one has. @default 1 */
  readonly share: number;
  /** GiB of all its accelerators together. */
  readonly acceleratorMemoryGi: number;
  readonly vcpus: number;
  /** GiB of the instance itself. */
  readonly memoryGi: number;
  readonly architecture: CpuArchitecture;
  /** Elastic Fabric Adapters it can have at most; 0: none. */
  readonly efaInterfaces: number;
  readonly networkCards: number;
  /** Gigabytes on NVMe disks of its own; 0: none. */
  readonly nvmeGb: number;
  /** Whether it can be had as an EC2 Capacity Block. */
  readonly capacityBlock: boolean;
  readonly images: EksImages;
  readonly bf16: boolean;
  readonly fp8: boolean;
  readonly mig: boolean;
  /** The page that tells of it. */
  readonly source: string;
}

interface Size {
  readonly count: number;
  readonly vcpus: number;
  readonly memoryGi: number;
  readonly share?: number;
  readonly nvmeGb?: number;
  readonly efa?: number;
  readonly networkCards?: number;
  readonly capacityBlock?: boolean;
}

interface Family {
  readonly product: AcceleratorName;
  readonly source: string;
  readonly images: EksImages;
  readonly sizes: Readonly<Record<string, Size>>;
}

/** https://docs.aws.amazon.com/eks/latest/userguide/ml-eks-optimized-ami.html, which names no image for what is `undocumented`. */
const images = {
  nvidia: { al2023: 'AL2023_x86_64_NVIDIA', bottlerocket: 'BOTTLEROCKET_x86_64_NVIDIA' },
  nvidiaArm: { al2023: 'AL2023_ARM_64_NVIDIA', bottlerocket: 'BOTTLEROCKET_ARM_64_NVIDIA' },
  neuron: { al2023: 'AL2023_x86_64_NEURON', bottlerocket: 'BOTTLEROCKET_x86_64' },
  undocumented: {},
} as const satisfies Readonly<Record<string, EksImages>>;

/**
 * Numbers as EC2's DescribeInstanceTypes gives them (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html), held
 * against a recording of its answers by testbed/aws/accelerators.test.ts. Left out, as no answer of it was at hand: p3 but for p3dn, p6e-gb200,
 * trn2u.
 */
const families: Readonly<Record<string, Family>> = {
  g4dn: {
    product: 't4',
    source: 'https://aws.amazon.com/ec2/instance-types/g4/',
    images: images.nvidia,
    sizes: {
      xlarge: { count: 1, vcpus: 4, memoryGi: 16, nvmeGb: 125 },
      '2xlarge': { count: 1, vcpus: 8, memoryGi: 32, nvmeGb: 225 },
      '4xlarge': { count: 1, vcpus: 16, memoryGi: 64, nvmeGb: 225 },
      '8xlarge': { count: 1, vcpus: 32, memoryGi: 128, nvmeGb: 900, efa: 1 },
      '12xlarge': { count: 4, vcpus: 48, memoryGi: 192, nvmeGb: 900, efa: 1 },
      '16xlarge': { count: 1, vcpus: 64, memoryGi: 256, nvmeGb: 900, efa: 1 },
      metal: { count: 8, vcpus: 96, memoryGi: 384, nvmeGb: 1800, efa: 1 },
    },
  },
  g5: {
    product: 'a10g',
    source: 'https://aws.amazon.com/ec2/instance-types/g5/',
    images: images.nvidia,
    sizes: {
      xlarge: { count: 1, vcpus: 4, memoryGi: 16, nvmeGb: 250 },
      '2xlarge': { count: 1, vcpus: 8, memoryGi: 32, nvmeGb: 450 },
      '4xlarge': { count: 1, vcpus: 16, memoryGi: 64, nvmeGb: 600 },
      '8xlarge': { count: 1, vcpus: 32, memoryGi: 128, nvmeGb: 900, efa: 1 },
      '12xlarge': { count: 4, vcpus: 48, memoryGi: 192, nvmeGb: 3800, efa: 1 },
      '16xlarge': { count: 1, vcpus: 64, memoryGi: 256, nvmeGb: 1900, efa: 1 },
      '24xlarge': { count: 4, vcpus: 96, memoryGi: 384, nvmeGb: 3800, efa: 1 },
      '48xlarge': { count: 8, vcpus: 192, memoryGi: 768, nvmeGb: 7600, efa: 1 },
    },
  },
  g5g: {
    product: 't4g',
    source: 'https://aws.amazon.com/ec2/instance-types/g5g/',
    images: images.nvidiaArm,
    sizes: {
      xlarge: { count: 1, vcpus: 4, memoryGi: 8 },
      '2xlarge': { count: 1, vcpus: 8, memoryGi: 16 },
      '4xlarge': { count: 1, vcpus: 16, memoryGi: 32 },
      '8xlarge': { count: 1, vcpus: 32, memoryGi: 64 },
      '16xlarge': { count: 2, vcpus: 64, memoryGi: 128 },
      metal: { count: 2, vcpus: 64, memoryGi: 128 },
    },
  },
  g6: {
    product: 'l4',
    source: 'https://aws.amazon.com/ec2/instance-types/g6/',
    images: images.nvidia,
    sizes: {
      xlarge: { count: 1, vcpus: 4, memoryGi: 16, nvmeGb: 250 },
      '2xlarge': { count: 1, vcpus: 8, memoryGi: 32, nvmeGb: 450 },
      '4xlarge': { count: 1, vcpus: 16, memoryGi: 64, nvmeGb: 600 },
      '8xlarge': { count: 1, vcpus: 32, memoryGi: 128, nvmeGb: 900, efa: 1 },
      '12xlarge': { count: 4, vcpus: 48, memoryGi: 192, nvmeGb: 3760, efa: 1 },
      '16xlarge': { count: 1, vcpus: 64, memoryGi: 256, nvmeGb: 1880, efa: 1 },
      '24xlarge': { count: 4, vcpus: 96, memoryGi: 384, nvmeGb: 3760, efa: 1 },
      '48xlarge': { count: 8, vcpus: 192, memoryGi: 768, nvmeGb: 7520, efa: 1 },
    },
  },
  gr6: {
    product: 'l4',
    source: 'https://aws.amazon.com/ec2/instance-types/g6/',
    images: images.nvidia,
    sizes: {
      '4xlarge': { count: 1, vcpus: 16, memoryGi: 128, nvmeGb: 600 },
      '8xlarge': { count: 1, vcpus: 32, memoryGi: 256, nvmeGb: 900, efa: 1 },
    },
  },
  g6f: {
    product: 'l4',
    source: 'https://aws.amazon.com/ec2/instance-types/g6/',
    images: images.nvidia,
    sizes: {
      large: { count: 1, vcpus: 2, memoryGi: 8, share: 1 / 8, nvmeGb: 100 },
      xlarge: { count: 1, vcpus: 4, memoryGi: 16, share: 1 / 8, nvmeGb: 100 },
      '2xlarge': { count: 1, vcpus: 8, memoryGi: 32, share: 1 / 4, nvmeGb: 200 },
      '4xlarge': { count: 1, vcpus: 16, memoryGi: 64, share: 1 / 2, nvmeGb: 450 },
    },
  },
  gr6f: {
    product: 'l4',
    source: 'https://aws.amazon.com/ec2/instance-types/g6/',
    images: images.nvidia,
    sizes: {
      '4xlarge': { count: 1, vcpus: 16, memoryGi: 128, share: 1 / 2, nvmeGb: 450 },
    },
  },
  g6e: {
    product: 'l40s',
    source: 'https://aws.amazon.com/ec2/instance-types/g6e/',
    images: images.nvidia,
    sizes: {
      xlarge: { count: 1, vcpus: 4, memoryGi: 32, nvmeGb: 250 },
      '2xlarge': { count: 1, vcpus: 8, memoryGi: 64, nvmeGb: 450 },
      '4xlarge': { count: 1, vcpus: 16, memoryGi: 128, nvmeGb: 600 },
      '8xlarge': { count: 1, vcpus: 32, memoryGi: 256, nvmeGb: 900, efa: 1 },
      '12xlarge': { count: 4, vcpus: 48, memoryGi: 384, nvmeGb: 3800, efa: 1 },
      '16xlarge': { count: 1, vcpus: 64, memoryGi: 512, nvmeGb: 1900, efa: 1 },
      '24xlarge': { count: 4, vcpus: 96, memoryGi: 768, nvmeGb: 3800, efa: 2, networkCards: 2 },
      '48xlarge': { count: 8, vcpus: 192, memoryGi: 1536, nvmeGb: 7600, efa: 4, networkCards: 4 },
    },
  },
  g7: {
    product: 'rtx-pro-4500',
    source: 'https://aws.amazon.com/ec2/instance-types/g7/',
    images: images.undocumented,
    sizes: {
      '2xlarge': { count: 1, vcpus: 8, memoryGi: 32, nvmeGb: 440 },
      '4xlarge': { count: 1, vcpus: 16, memoryGi: 64, nvmeGb: 875 },
      '8xlarge': { count: 1, vcpus: 32, memoryGi: 128, nvmeGb: 930, efa: 1 },
      '12xlarge': { count: 2, vcpus: 48, memoryGi: 192, nvmeGb: 1900, efa: 1 },
      '24xlarge': { count: 4, vcpus: 96, memoryGi: 384, nvmeGb: 3800, efa: 1 },
      '48xlarge': { count: 8, vcpus: 192, memoryGi: 768, nvmeGb: 7600, efa: 2, networkCards: 2 },
    },
  },
  g7e: {
    product: 'rtx-pro-6000',
    source: 'https://aws.amazon.com/ec2/instance-types/g7e/',
    images: images.nvidia,
    sizes: {
      '2xlarge': { count: 1, vcpus: 8, memoryGi: 64, nvmeGb: 1900 },
      '4xlarge': { count: 1, vcpus: 16, memoryGi: 128, nvmeGb: 1900 },
      '8xlarge': { count: 1, vcpus: 32, memoryGi: 256, nvmeGb: 1900, efa: 1 },
      '12xlarge': { count: 2, vcpus: 48, memoryGi: 512, nvmeGb: 3800, efa: 1 },
      '24xlarge': { count: 4, vcpus: 96, memoryGi: 1024, nvmeGb: 7600, efa: 2, networkCards: 2 },
      '48xlarge': { count: 8, vcpus: 192, memoryGi: 2048, nvmeGb: 15_200, efa: 4, networkCards: 4 },
    },
  },
  p3dn: {
    product: 'v100-32gb',
    source: 'https://aws.amazon.com/ec2/instance-types/p3/',
    images: images.nvidia,
    sizes: {
      '24xlarge': { count: 8, vcpus: 96, memoryGi: 768, nvmeGb: 1800, efa: 1 },
    },
  },
  p4d: {
    product: 'a100-40gb',
    source: 'https://aws.amazon.com/ec2/instance-types/p4/',
    images: images.nvidia,
    sizes: {
      '24xlarge': { count: 8, vcpus: 96, memoryGi: 1152, nvmeGb: 8000, efa: 4, networkCards: 4, capacityBlock: true },
    },
  },
  p4de: {
    product: 'a100-80gb',
    source: 'https://aws.amazon.com/ec2/instance-types/p4/',
    images: images.nvidia,
    sizes: {
      '24xlarge': { count: 8, vcpus: 96, memoryGi: 1152, nvmeGb: 8000, efa: 4, networkCards: 4, capacityBlock: true },
    },
  },
  p5: {
    product: 'h100-80gb',
    source: 'https://aws.amazon.com/ec2/instance-types/p5/',
    images: images.nvidia,
    sizes: {
      '4xlarge': { count: 1, vcpus: 16, memoryGi: 256, nvmeGb: 3800, efa: 1, capacityBlock: true },
      '48xlarge': {
        count: 8,
        vcpus: 192,
        memoryGi: 2048,
        nvmeGb: 30_400,
        efa: 32,
        networkCards: 32,
        capacityBlock: true,
      },
    },
  },
  p5e: {
    product: 'h200',
    source: 'https://aws.amazon.com/ec2/instance-types/p5/',
    images: images.nvidia,
    sizes: {
      '48xlarge': {
        count: 8,
        vcpus: 192,
        memoryGi: 2048,
        nvmeGb: 30_400,
        efa: 32,
        networkCards: 32,
        capacityBlock: true,
      },
    },
  },
  p5en: {
    product: 'h200',
    source: 'https://aws.amazon.com/ec2/instance-types/p5/',
    images: images.nvidia,
    sizes: {
      '48xlarge': {
        count: 8,
        vcpus: 192,
        memoryGi: 2048,
        nvmeGb: 30_400,
        efa: 16,
        networkCards: 16,
        capacityBlock: true,
      },
    },
  },
  'p6-b200': {
    product: 'b200',
    source: 'https://aws.amazon.com/ec2/instance-types/p6/',
    images: images.nvidia,
    sizes: {
      '48xlarge': {
        count: 8,
        vcpus: 192,
        memoryGi: 2048,
        nvmeGb: 30_400,
        efa: 8,
        networkCards: 8,
        capacityBlock: true,
      },
    },
  },
  'p6-b300': {
    product: 'b300',
    source: 'https://aws.amazon.com/ec2/instance-types/p6/',
    images: images.nvidia,
    sizes: {
      '48xlarge': {
        count: 8,
        vcpus: 192,
        memoryGi: 4096,
        nvmeGb: 30_400,
        efa: 16,
        networkCards: 17,
        capacityBlock: true,
      },
    },
  },
  inf1: {
    product: 'inferentia',
    source: 'https://aws.amazon.com/ec2/instance-types/inf1/',
    images: images.neuron,
    sizes: {
      xlarge: { count: 1, vcpus: 4, memoryGi: 8 },
      '2xlarge': { count: 1, vcpus: 8, memoryGi: 16 },
      '6xlarge': { count: 4, vcpus: 24, memoryGi: 48 },
      '24xlarge': { count: 16, vcpus: 96, memoryGi: 192, efa: 1 },
    },
  },
  inf2: {
    product: 'inferentia2',
    source: 'https://aws.amazon.com/ec2/instance-types/inf2/',
    images: images.neuron,
    sizes: {
      xlarge: { count: 1, vcpus: 4, memoryGi: 16 },
      '8xlarge': { count: 1, vcpus: 32, memoryGi: 128 },
      '24xlarge': { count: 6, vcpus: 96, memoryGi: 384 },
      '48xlarge': { count: 12, vcpus: 192, memoryGi: 768 },
    },
  },
  trn1: {
    product: 'trainium',
    source: 'https://aws.amazon.com/ec2/instance-types/trn1/',
    images: images.neuron,
    sizes: {
      '2xlarge': { count: 1, vcpus: 8, memoryGi: 32, nvmeGb: 474 },
      '32xlarge': { count: 16, vcpus: 128, memoryGi: 512, nvmeGb: 7600, efa: 8, networkCards: 8, capacityBlock: true },
    },
  },
  trn1n: {
    product: 'trainium',
    source: 'https://aws.amazon.com/ec2/instance-types/trn1/',
    images: images.undocumented,
    sizes: {
      '32xlarge': { count: 16, vcpus: 128, memoryGi: 512, nvmeGb: 7600, efa: 16, networkCards: 16 },
    },
  },
  trn2: {
    product: 'trainium2',
    source: 'https://aws.amazon.com/ec2/instance-types/trn2/',
    images: images.neuron,
    sizes: {
      '3xlarge': { count: 1, vcpus: 12, memoryGi: 128, nvmeGb: 470, efa: 1, capacityBlock: true },
      '48xlarge': {
        count: 16,
        vcpus: 192,
        memoryGi: 2048,
        nvmeGb: 7600,
        efa: 16,
        networkCards: 16,
        capacityBlock: true,
      },
    },
  },
};

/** All that are known, by instance type. */
export const acceleratedInstances: ReadonlyMap<string, AcceleratedInstance> = new Map(
  Object.entries(families).flatMap(([family, { product, source, images, sizes }]) =>
    Object.entries(sizes).map(([size, row]): readonly [string, AcceleratedInstance] => {
      const { vendor, memoryGi, bf16, fp8, mig } = acceleratorProduct(product);
      const { share = 1 } = row;
      const instanceType = `${family}.${size}`;
      return [
        instanceType,
        {
          instanceType,
          family,
          product,
          vendor,
          count: row.count,
          share,
          acceleratorMemoryGi: row.count * share * memoryGi,
          vcpus: row.vcpus,
          memoryGi: row.memoryGi,
          architecture: architectureOf(family),
          efaInterfaces: row.efa ?? 0,
          networkCards: row.networkCards ?? 1,
          nvmeGb: row.nvmeGb ?? 0,
          capacityBlock: row.capacityBlock ?? false,
          images,
          bf16,
          fp8,
          mig: mig && share === 1,
          source,
        },
      ];
    }),
  ),
);

/** The entry of a product's name, with the type every entry has. */
export function acceleratorProduct(name: AcceleratorName): AcceleratorProduct {
  return acceleratorProducts[name];
}

/** An EC2 instance type such as `g5.xlarge`; `undefined` when it has no accelerator, or none that is known here. */
export function accelerator(instanceType: string): AcceleratedInstance | undefined {
  return acceleratedInstances.get(instanceType);
}

/** What is wrong with the name of an instance type that is to have accelerators; `undefined`: nothing. `prop`: where it was given. */
export function acceleratorProblem(prop: string, instanceType: string): ConstructProblem | undefined {
  if (acceleratedInstances.has(instanceType)) return undefined;
  const nearest = nearestName(instanceType, acceleratedInstances.keys());
  return {
    code: 'unknown-instance-type',
    message: `${prop} is no instance type with GPUs or Neuron chips that is known here`,
    found: instanceType,
    ...(nearest === undefined ? {} : { expected: nearest }),
    fix:
      nearest === undefined
        ? 'Name one of EC2, such as g6.xlarge.'
        : `Did you mean ${nearest}? Of a type that is newer than this catalogue the row is to be added to constructs/aws/accelerators.ts.`,
  };
}

/** An instance of SageMaker. */
export interface SageMakerInstance {
  /** `ml.g5.xlarge`. */
  readonly name: string;
  /** The EC2 instance type that it is: the name without `ml.`. */
  readonly instanceType: string;
  readonly family: string;
  readonly architecture: CpuArchitecture;
  /** What SageMaker takes it for. */
  readonly uses: readonly SageMakerUse[];
  /** Whether it has GPUs or Neuron chips, also where no more is known of them. */
  readonly accelerated: boolean;
  /** What is known of them: not of `ml.p3.2xlarge`, `ml.p2` and `ml.p6e-gb200`. */
  readonly accelerator?: AcceleratedInstance;
}

const sageMakerInstances: ReadonlyMap<string, SageMakerInstance> = new Map(
  sageMakerNames().map(([name, uses]) => {
    const instanceType = name.slice('ml.'.length);
    const family = familyOf(instanceType);
    const known = accelerator(instanceType);
    const instance: SageMakerInstance = {
      name,
      instanceType,
      family,
      architecture: architectureOf(family),
      uses,
      accelerated: known !== undefined || /^(?:p\d|g\d|inf|trn|dl)/.test(family),
      ...(known === undefined ? {} : { accelerator: known }),
    };
    return [name, instance];
  }),
);

/**
 * An instance of SageMaker such as `ml.p4d.24xlarge`; `undefined` when SageMaker has none of that name. For which of them managed spot training
 * finds capacity nobody publishes: a job waits `MaxWaitTimeInSeconds` for it.
 */
export function sageMakerInstance(name: string): SageMakerInstance | undefined {
  return sageMakerInstances.get(name);
}

/** What is wrong with the name of an instance for one use of SageMaker; `undefined`: nothing. `prop`: where it was given. */
export function sageMakerProblem(prop: string, name: string, use: SageMakerUse): ConstructProblem | undefined {
  const known = sageMakerInstances.get(name);
  if (known?.uses.includes(use)) return undefined;
  const ofUse = [...sageMakerInstances.values()].filter(({ uses }) => uses.includes(use)).map((one) => one.name);
  if (known !== undefined) {
    const sameFamily = ofUse.filter((one) => familyOf(one.slice('ml.'.length)) === known.family);
    return {
      code: 'instance-not-for-use',
      message: `${prop}: SageMaker has no ${name} for ${use}`,
      found: name,
      ...(sameFamily.length === 0 ? {} : { expected: sameFamily.join(', ') }),
      fix: 'Choose another.',
    };
  }
  const nearest = nearestName(name, ofUse);
  return {
    code: 'unknown-instance-type',
    message: `${prop} is no instance of SageMaker${name.startsWith('ml.') ? '' : ', whose names begin with ml.'}`,
    found: name,
    ...(nearest === undefined ? {} : { expected: nearest }),
    fix: nearest === undefined ? 'Name one, such as ml.m5.xlarge or ml.g5.xlarge.' : `Did you mean ${nearest}?`,
  };
}

function sageMakerNames(): readonly (readonly [string, readonly SageMakerUse[]])[] {
  const uses = new Map<string, SageMakerUse[]>();
  for (const use of ['training', 'hosting', 'transform', 'processing'] as const) {
    for (const [family, sizes] of Object.entries(sageMakerSizes[use])) {
      for (const size of sizes.split(' ')) {
        const name = `ml.${family}.${size}`;
        uses.set(name, [...(uses.get(name) ?? []), use]);
      }
    }
  }
  return [...uses];
}

function familyOf(instanceType: string): string {
  return instanceType.split('.')[0] ?? '';
}

/** Of any instance type or family. Graviton's have a g after the generation: m6g, c6gn, g5g; p6e-gb200 has Grace. */
export function architectureOf(instanceType: string): CpuArchitecture {
  return /^(?:[a-z]+\d+g|a1$|[a-z\d]+-gb\d+$)/.test(familyOf(instanceType)) ? 'arm64' : 'x86_64';
}
