import { type GpuProps, gpuPlacement, gpuResource } from '../pod/gpu.ts';
import type { PodSpec, Resources } from '../pod/pod-spec.ts';
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

/** Where a pod with a GPU runs; without one, anywhere. */
export function placementOf({ gpu }: ContainerSize): Pick<PodSpec, 'nodeSelector' | 'affinity' | 'tolerations'> {
  if (gpu === undefined) return {};
  const { nodeSelector, affinity, tolerations } = gpuPlacement(gpu);
  return { nodeSelector: Object.keys(nodeSelector).length === 0 ? undefined : nodeSelector, affinity, tolerations };
}
