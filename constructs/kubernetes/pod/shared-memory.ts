import type { ConstructProblem } from '../problem.ts';
import { bytesOf, type Memory, roundedMemory } from '../quantity.ts';
import type { Volume, VolumeMount } from './pod-spec.ts';

/** `/dev/shm` of a container is 64 MiB; NCCL, Triton's Python backend and data loaders need more. */
export function sharedMemoryVolume(size: Memory): { readonly volume: Volume; readonly mount: VolumeMount } {
  return {
    volume: { name: 'shared-memory', emptyDir: { medium: 'Memory', sizeLimit: size } },
    mount: { name: 'shared-memory', mountPath: '/dev/shm' },
  };
}

/** What fills a volume in memory counts against the container's limit: a server would be killed for using what it was given. */
export function sharedMemoryProblems(size: Memory, limit: Memory): readonly ConstructProblem[] {
  const [wanted, most] = [bytesOf(size), bytesOf(limit)];
  if (wanted === undefined || most === undefined || wanted < most) return [];
  return [
    {
      code: 'shared-memory-over-limit',
      message: `shared memory ${size} ${wanted === most ? 'takes all of' : 'exceeds'} the memory limit ${limit}; /dev/shm counts against it`,
      fix: `Raise memory.limit to ${roundedMemory(wanted + most)} or lower sharedMemory.`,
    },
  ];
}
