import { describe, expect, test } from 'vitest';
import { instanceHardware } from './instance-hardware.ts';
import { sageMakerSizes } from './sage-maker-instances.ts';

describe('the hardware of an instance', () => {
  test.each([
    // vCPUs of https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html
    ['ml.m5.xlarge', 4, 0],
    ['ml.c5.large', 2, 0],
    ['ml.c5.9xlarge', 36, 0],
    ['ml.c4.8xlarge', 36, 0],
    ['ml.m4.10xlarge', 40, 0],
    ['ml.c6i.32xlarge', 128, 0],
    ['ml.t2.medium', 2, 0],
    ['ml.c8g.medium', 1, 0],
    ['ml.g5.12xlarge', 48, 4],
    ['ml.p4d.24xlarge', 96, 8],
    // SageMaker tells no load of Neuron chips.
    ['ml.inf2.xlarge', 4, 0],
  ])('of %s is %d processors and %d GPUs', (name, vcpus, gpus) => {
    expect(instanceHardware(name)).toEqual({ vcpus, gpus });
  });

  test.each(['ml.p2.xlarge', 'm5.xlarge', 'ml.m5.xlrge'])('of %s is not known, and nothing is guessed', (name) => {
    expect(instanceHardware(name)).toBeUndefined();
  });

  test('is known of every instance that serves, but for those with chips that the catalogue lacks', () => {
    const names = Object.entries(sageMakerSizes.hosting).flatMap(([family, sizes]) =>
      sizes.split(' ').map((size) => `ml.${family}.${size}`),
    );
    const unknown = names.filter((name) => instanceHardware(name) === undefined);
    expect([...new Set(unknown.map((name) => name.split('.')[1]))]).toEqual(['dl1', 'p2', 'p3', 'p6e-gb200']);
  });
});
