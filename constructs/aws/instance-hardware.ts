import { sageMakerInstance } from './accelerators.ts';
import type { EndpointHardware } from './monitoring/endpoint-telemetry.ts';

/** Types of EC2 that do not go by the rule: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html, "CPU options" of each family. */
const exceptions: Readonly<Record<string, number>> = { 'c4.8xlarge': 36, 't2.medium': 2, 't3.medium': 2 };

/**
 * What `hardware` of alarms and dashboards wants to know of an instance of SageMaker such as `ml.g5.12xlarge`: its processors, and the GPUs whose
 * load SageMaker tells (Neuron chips it does not). `undefined` where neither the catalogue nor EC2's rule says it.
 */
export function instanceHardware(name: string): EndpointHardware | undefined {
  const instance = sageMakerInstance(name);
  if (instance === undefined) return undefined;
  const { accelerator, accelerated, instanceType } = instance;
  if (accelerator !== undefined) {
    return { vcpus: accelerator.vcpus, gpus: accelerator.vendor === 'nvidia' ? accelerator.count : 0 };
  }
  if (accelerated) return undefined;
  const vcpus = exceptions[instanceType] ?? vcpusBySize(instanceType.split('.')[1] ?? '');
  return vcpus === undefined ? undefined : { vcpus, gpus: 0 };
}

/** EC2's rule: four for an xlarge, half of that for a large, and n times four for an nxlarge. */
function vcpusBySize(size: string): number | undefined {
  if (size === 'medium') return 1;
  if (size === 'large') return 2;
  const [, times] = /^(\d*)xlarge$/.exec(size) ?? [];
  return times === undefined ? undefined : 4 * Number(times === '' ? 1 : times);
}
