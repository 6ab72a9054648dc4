import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  acceleratedInstances,
  acceleratorProduct,
  acceleratorProducts,
  sageMakerInstance,
} from '../../constructs/aws/accelerators.ts';
import { sageMakerSizes } from '../../constructs/aws/sage-maker-instances.ts';
import { gpuProducts } from '../../constructs/kubernetes/pod/gpu-products.ts';
import { pythonEnvironment } from '../serving/python.ts';

/** botocore has the enums of AWS's own service models; moto a recording of what DescribeInstanceTypes answered. */
const requirements = ['botocore==1.44.5', 'moto==5.2.5'];

const program = `
import gzip, json, os, botocore.session, moto
models = botocore.session.get_session()
enum = lambda service, shape: models.get_service_model(service).shape_for(shape).enum
recorded = os.path.join(os.path.dirname(moto.__file__), 'ec2', 'resources', 'instance_types.json.gz')
print(json.dumps({
    'instanceTypes': enum('ec2', 'InstanceType'),
    'amiTypes': enum('eks', 'AMITypes'),
    'sageMaker': {
        'training': enum('sagemaker', 'TrainingInstanceType'),
        'hosting': enum('sagemaker', 'ProductionVariantInstanceType'),
        'transform': enum('sagemaker', 'TransformInstanceType'),
        'processing': enum('sagemaker', 'ProcessingInstanceType'),
    },
    'described': json.load(gzip.open(recorded)),
}))
`;

interface Described {
  readonly VCpuInfo: { readonly DefaultVCpus: number };
  readonly MemoryInfo: { readonly SizeInMiB: number };
  readonly ProcessorInfo: { readonly SupportedArchitectures: readonly string[] };
  readonly InstanceStorageInfo?: { readonly TotalSizeInGB: number };
  readonly NetworkInfo: {
    readonly EfaInfo?: { readonly MaximumEfaInterfaces: number };
    readonly MaximumNetworkCards: number;
  };
  readonly GpuInfo?: { readonly Gpus: readonly DescribedAccelerator[] };
  readonly NeuronInfo?: { readonly NeuronDevices: readonly DescribedAccelerator[] };
  readonly SupportedUsageClasses: readonly string[];
}

interface DescribedAccelerator {
  readonly Name: string;
  readonly Count: number;
  readonly MemoryInfo: { readonly SizeInMiB: number };
}

interface Models {
  readonly instanceTypes: readonly string[];
  readonly amiTypes: readonly string[];
  readonly sageMaker: Readonly<Record<keyof typeof sageMakerSizes, readonly string[]>>;
  readonly described: Readonly<Record<string, Described>>;
}

let models: Models;

beforeAll(async () => {
  const { python } = await pythonEnvironment('aws-models', requirements);
  models = JSON.parse(
    execFileSync(python, ['-c', program], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }),
  ) as Models;
});

describe.each([...acceleratedInstances.values()])('$instanceType', (instance) => {
  test('is one of EC2, with the numbers that EC2 tells of it', () => {
    expect(models.instanceTypes).toContain(instance.instanceType);
    const told = models.described[instance.instanceType];
    if (told === undefined) throw new Error(`no description of ${instance.instanceType}`);
    expect({
      vcpus: instance.vcpus,
      memoryMi: instance.memoryGi * 1024,
      architectures: [instance.architecture],
      nvmeGb: instance.nvmeGb,
      efaInterfaces: instance.efaInterfaces,
      networkCards: instance.networkCards,
      capacityBlock: instance.capacityBlock,
    }).toEqual({
      vcpus: told.VCpuInfo.DefaultVCpus,
      memoryMi: told.MemoryInfo.SizeInMiB,
      architectures: told.ProcessorInfo.SupportedArchitectures,
      nvmeGb: told.InstanceStorageInfo?.TotalSizeInGB ?? 0,
      efaInterfaces: told.NetworkInfo.EfaInfo?.MaximumEfaInterfaces ?? 0,
      networkCards: told.NetworkInfo.MaximumNetworkCards,
      capacityBlock: told.SupportedUsageClasses.includes('capacity-block'),
    });
    expect(told.SupportedUsageClasses).toEqual(expect.arrayContaining(['on-demand', 'spot']));
  });

  test('has the accelerators that EC2 tells of', () => {
    const told = models.described[instance.instanceType];
    const [one, ...others] = told?.GpuInfo?.Gpus ?? told?.NeuronInfo?.NeuronDevices ?? [];
    expect(others).toEqual([]);
    const { karpenterName, memoryGi } = acceleratorProduct(instance.product);
    expect(one?.Name.toLowerCase().replaceAll(' ', '-')).toBe(karpenterName);
    // EC2 counts a part of a GPU as none.
    expect(one?.Count).toBe(instance.share < 1 ? 0 : instance.count);
    // Neuron's own documentation contradicts EC2 here.
    if (instance.product === 'trainium2') return;
    const told1Gi = (one?.MemoryInfo.SizeInMiB ?? 0) / 1024;
    expect(Math.abs(told1Gi / (memoryGi * instance.share) - 1)).toBeLessThan(0.07);
  });

  test('names images that EKS has', () => {
    const { al2023, bottlerocket } = instance.images;
    for (const image of [al2023, bottlerocket]) if (image !== undefined) expect(models.amiTypes).toContain(image);
  });
});

test('no type with GPUs of NVIDIA or Neuron chips is missing that EC2 describes', () => {
  const described = Object.entries(models.described)
    .filter(([, { GpuInfo, NeuronInfo }]) => GpuInfo !== undefined || NeuronInfo?.NeuronDevices !== undefined)
    .map(([name]) => name);
  const missing = described.filter((name) => !acceleratedInstances.has(name));
  // The GPUs of these are AMD's.
  expect(missing.filter((name) => !name.startsWith('g4ad.'))).toEqual([]);
});

test.each(['training', 'hosting', 'transform', 'processing'] as const)(
  'SageMaker takes for %s what it is said to take, and nothing else',
  (use) => {
    const names = Object.entries(sageMakerSizes[use]).flatMap(([family, sizes]) =>
      sizes.split(' ').map((size) => `ml.${family}.${size}`),
    );
    expect(names.toSorted()).toEqual(models.sageMaker[use].toSorted());
    for (const name of names) expect(sageMakerInstance(name)?.uses).toContain(use);
  },
);

describe('products of GPUs', () => {
  const both = Object.entries(acceleratorProducts).flatMap(([name, ours]) => {
    const theirs = Object.entries(gpuProducts).find(([other]) => other === name)?.[1];
    return theirs === undefined ? [] : [{ name, ours, theirs }];
  });

  test('are named as in the Kubernetes constructs', () => {
    expect(both.map(({ name }) => name)).toEqual([
      't4',
      'a10g',
      'a100-40gb',
      'a100-80gb',
      'l4',
      'l40s',
      'h100-80gb',
      'h200',
      'b200',
    ]);
  });

  test.each(both)('$name is there as it is here', ({ ours, theirs }) => {
    expect(ours).toMatchObject({
      memoryGi: theirs.memoryGi,
      karpenterName: 'karpenterName' in theirs ? theirs.karpenterName : undefined,
      bf16: theirs.computeCapability >= 8,
      fp8: theirs.computeCapability >= 8.9,
      mig: theirs.migProfiles.length > 0,
    });
  });
});
