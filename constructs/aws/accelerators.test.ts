import { describe, expect, test } from 'vitest';
import {
  acceleratedInstances,
  accelerator,
  acceleratorProblem,
  sageMakerInstance,
  sageMakerProblem,
} from './accelerators.ts';

describe('accelerated instances', () => {
  test('have the GPUs, memory, architecture and image of their type', () => {
    expect(accelerator('p4d.24xlarge')).toEqual({
      instanceType: 'p4d.24xlarge',
      family: 'p4d',
      product: 'a100-40gb',
      vendor: 'nvidia',
      count: 8,
      share: 1,
      acceleratorMemoryGi: 320,
      vcpus: 96,
      memoryGi: 1152,
      architecture: 'x86_64',
      efaInterfaces: 4,
      networkCards: 4,
      nvmeGb: 8000,
      capacityBlock: true,
      images: { al2023: 'AL2023_x86_64_NVIDIA', bottlerocket: 'BOTTLEROCKET_x86_64_NVIDIA' },
      bf16: true,
      fp8: false,
      mig: true,
      source: 'https://aws.amazon.com/ec2/instance-types/p4/',
    });
  });

  test('of ARM and of Neuron have images of their own', () => {
    expect(accelerator('g5g.xlarge')).toMatchObject({
      architecture: 'arm64',
      images: { al2023: 'AL2023_ARM_64_NVIDIA' },
    });
    expect(accelerator('inf2.xlarge')).toMatchObject({ vendor: 'neuron', images: { al2023: 'AL2023_x86_64_NEURON' } });
  });

  test('with a part of a GPU have a part of its memory, and no MIG', () => {
    expect(accelerator('g6f.2xlarge')).toMatchObject({ count: 1, share: 0.25, acceleratorMemoryGi: 6, mig: false });
  });

  test.each([...acceleratedInstances.values()])('$instanceType has an image of its architecture', (instance) => {
    const { al2023 = '', bottlerocket = '' } = instance.images;
    const architecture = instance.architecture === 'arm64' ? /ARM_64/ : /x86_64/;
    const driver = instance.vendor === 'neuron' ? /NEURON$/ : /NVIDIA$/;
    // EKS documents no image of these.
    if (instance.family === 'g7' || instance.family === 'trn1n') expect(instance.images).toEqual({});
    else for (const image of [al2023, bottlerocket]) expect(image).toMatch(architecture);
    if (al2023 !== '') expect(al2023).toMatch(driver);
  });

  test('tell of a name that none has which one it was meant to be', () => {
    expect(acceleratorProblem('instanceTypes[0]', 'g5.xlage')).toMatchObject({
      found: 'g5.xlage',
      expected: 'g5.xlarge',
    });
    expect(acceleratorProblem('instanceTypes[0]', 'm5.large')).toMatchObject({ code: 'unknown-instance-type' });
    expect(acceleratorProblem('instanceTypes[0]', 'g5.xlarge')).toBeUndefined();
  });
});

describe('instances of SageMaker', () => {
  test('have the accelerators of the EC2 instance type', () => {
    expect(sageMakerInstance('ml.p4d.24xlarge')).toMatchObject({
      uses: ['training', 'hosting'],
      accelerated: true,
      accelerator: { product: 'a100-40gb', count: 8 },
    });
  });

  test('are known to be accelerated where no more is known', () => {
    expect(sageMakerInstance('ml.p3.2xlarge')).toMatchObject({ accelerated: true });
    expect(sageMakerInstance('ml.p3.2xlarge')).not.toHaveProperty('accelerator');
  });

  test('without accelerators are known with their architecture', () => {
    expect(sageMakerInstance('ml.m5.xlarge')).toMatchObject({ accelerated: false, architecture: 'x86_64' });
    expect(sageMakerInstance('ml.c7g.large')).toMatchObject({ uses: ['hosting'], architecture: 'arm64' });
    expect(sageMakerInstance('ml.m9.xlarge')).toBeUndefined();
  });

  test('are wrong for a use that SageMaker does not take them for', () => {
    expect(sageMakerProblem('instanceType', 'ml.inf2.xlarge', 'hosting')).toBeUndefined();
    expect(sageMakerProblem('instanceType', 'ml.inf2.xlarge', 'training')).toEqual({
      code: 'instance-not-for-use',
      message: 'instanceType: SageMaker has no ml.inf2.xlarge for training',
      found: 'ml.inf2.xlarge',
      fix: 'Choose another.',
    });
    expect(sageMakerProblem('instanceType', 'ml.m5d.large', 'hosting')).toBeUndefined();
  });

  test('with a name that none has are told the nearest of that use', () => {
    expect(sageMakerProblem('instanceType', 'p4d.24xlarge', 'training')).toMatchObject({
      message: 'instanceType is no instance of SageMaker, whose names begin with ml.',
      expected: 'ml.p4d.24xlarge',
    });
    expect(sageMakerProblem('instanceType', 'ml.g5.2xlage', 'hosting')).toMatchObject({ expected: 'ml.g5.2xlarge' });
    expect(sageMakerProblem('instanceType', 'a great many GPUs', 'hosting')).toMatchObject({
      fix: 'Name one, such as ml.m5.xlarge or ml.g5.xlarge.',
    });
  });
});
