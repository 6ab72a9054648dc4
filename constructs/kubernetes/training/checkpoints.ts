import type { PersistentVolumeClaimBody } from '../native.ts';
import type { Volume, VolumeMount } from '../pod/pod-spec.ts';
import type { ConstructProblem } from '../problem.ts';
import { bytesOf, type Memory } from '../quantity.ts';

/** Where a training keeps its state, so that it goes on after a pod was lost: a claim that is there, or one that is made. */
export type Checkpoints = {
  /**
   * Where the volume is in the pods; the program reads it from `CHECKPOINT_DIR`.
   * @default '/checkpoints'
   */
  readonly path?: string;
} & (
  | {
      /** A PersistentVolumeClaim of the namespace. With several pods its volume has to be one that several nodes may write. */
      readonly claim: string;
    }
  | {
      /** Of the volume that is made. */
      readonly size: Memory;
      /** @default the cluster's own; with several pods there is no default, since it is seldom one that several nodes may write */
      readonly storageClass?: string;
      /** @default 'ReadWriteMany' with several pods, else 'ReadWriteOnce' */
      readonly access?: 'ReadWriteOnce' | 'ReadWriteMany';
    }
);

export interface CheckpointPlan {
  readonly path: string;
  readonly volume: Volume;
  readonly mount: VolumeMount;
  /** The claim to be made; absent: it is there. */
  readonly claim?: { readonly name: string; readonly body: PersistentVolumeClaimBody };
  /** Only one node at a time may have the volume. */
  readonly oneNode: boolean;
}

/** `pods`: how many write at the same time. */
export function checkpointPlan(checkpoints: Checkpoints, name: string, pods: number): CheckpointPlan {
  const path = checkpoints.path ?? '/checkpoints';
  const claimName = 'claim' in checkpoints ? checkpoints.claim : `${name}-checkpoints`;
  const common = {
    path,
    volume: { name: 'checkpoints', persistentVolumeClaim: { claimName } },
    mount: { name: 'checkpoints', mountPath: path },
  };
  if ('claim' in checkpoints) return { ...common, oneNode: false };
  const access = checkpoints.access ?? (pods > 1 ? 'ReadWriteMany' : 'ReadWriteOnce');
  return {
    ...common,
    oneNode: access === 'ReadWriteOnce',
    claim: {
      name: claimName,
      body: {
        spec: {
          accessModes: [access],
          storageClassName: checkpoints.storageClass,
          resources: { requests: { storage: checkpoints.size } },
        },
      },
    },
  };
}

/** What of checkpoints could not work with so many pods. */
export function checkpointProblems(checkpoints: Checkpoints, pods: number): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  const { path = '/checkpoints' } = checkpoints;
  if (!/^\/[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/.test(path) || path.split('/').includes('..')) {
    problems.push({
      code: 'bad-path',
      message: 'checkpoints.path is no absolute path in plain characters',
      found: path,
      fix: "Write it like '/checkpoints'.",
    });
  }
  if ('claim' in checkpoints) return problems;
  const { size, storageClass, access } = checkpoints;
  if (bytesOf(size) === undefined) {
    problems.push({
      code: 'bad-quantity',
      message: 'checkpoints.size is no amount of storage',
      found: size,
      expected: 'such as 100Gi',
      fix: 'Correct it.',
    });
  }
  if (pods > 1 && access === 'ReadWriteOnce') {
    problems.push({
      code: 'checkpoints-on-one-node',
      message: `checkpoints.access ReadWriteOnce holds the volume on one node, so most of the ${pods} pods would never start`,
      fix: "Set checkpoints.access to 'ReadWriteMany' with a storageClass that can (NFS, EFS, FSx, CephFS), or train in one pod.",
    });
  } else if (pods > 1 && storageClass === undefined) {
    problems.push({
      code: 'no-storage-class',
      message: `checkpoints of ${pods} pods need a volume that several nodes may write, which the cluster's default seldom is: the claim would stay Pending`,
      fix: 'Set checkpoints.storageClass to one that offers ReadWriteMany (NFS, EFS, FSx, CephFS), or checkpoints.claim to a claim that is there.',
    });
  }
  return problems;
}
