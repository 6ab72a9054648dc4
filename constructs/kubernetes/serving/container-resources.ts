import { type GpuProps, gpuResource } from '../pod/gpu.ts';
import type { Resources } from '../pod/pod-spec.ts';
import { type Cpu, cpuText, type Memory } from '../quantity.ts';

/** What a container is promised, and may take no more of. */
export interface ContainerSize {
  readonly cpu: Cpu;
  readonly memory: Memory;
  readonly gpu?: GpuProps;
}

/** Requests and limits that are the same, so that the pod is of the class that is evicted last. */
export function guaranteed({ cpu, memory, gpu }: ContainerSize): Resources {
  const amounts = {
    cpu: cpuText(cpu),
    memory,
    ...(gpu === undefined ? {} : { [gpuResource(gpu)]: String(gpu.count ?? 1) }),
  };
  return { requests: amounts, limits: amounts };
}
