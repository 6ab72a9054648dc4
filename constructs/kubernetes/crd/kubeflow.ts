import type { Affinity, EnvVar, PodTemplate, Resources, Toleration, Volume, VolumeMount } from '../pod/pod-spec.ts';
import { customKind } from './custom-resource.ts';

/** https://www.kubeflow.org/docs/components/trainer/legacy-v1/user-guides/pytorch/ (training operator 1.9, its last line) */
export interface PyTorchJobSpec {
  /** Processes of each pod. A string, unlike everywhere else. */
  readonly nprocPerNode: string;
  readonly elasticPolicy?:
    | {
        readonly rdzvBackend: 'c10d';
        readonly minReplicas: number;
        readonly maxReplicas: number;
        readonly maxRestarts: number;
      }
    | undefined;
  readonly runPolicy: {
    readonly cleanPodPolicy: 'Running' | 'All' | 'None';
    readonly backoffLimit: number;
    readonly ttlSecondsAfterFinished?: number | undefined;
    readonly activeDeadlineSeconds?: number | undefined;
    readonly suspend?: boolean | undefined;
  };
  readonly pytorchReplicaSpecs: {
    readonly Master?: PyTorchReplicas | undefined;
    readonly Worker?: PyTorchReplicas | undefined;
  };
}
export interface PyTorchReplicas {
  readonly replicas: number;
  readonly restartPolicy: 'ExitCode' | 'OnFailure' | 'Never';
  readonly template: PodTemplate;
}
export const pyTorchJob = customKind<PyTorchJobSpec>('kubeflow.org/v1', 'PyTorchJob', 'pytorchjobs.kubeflow.org');

/** https://www.kubeflow.org/docs/components/trainer/ (Trainer 2.3) */
export interface TrainJobSpec {
  readonly runtimeRef: {
    readonly name: string;
    readonly kind: 'ClusterTrainingRuntime' | 'TrainingRuntime';
  };
  readonly suspend?: boolean | undefined;
  readonly activeDeadlineSeconds?: number | undefined;
  readonly trainer: {
    readonly image: string;
    readonly command?: readonly string[] | undefined;
    readonly args?: readonly string[] | undefined;
    readonly env: readonly EnvVar[];
    readonly numNodes: number;
    readonly numProcPerNode: number;
    readonly resourcesPerNode: Resources;
  };
  /** What of the runtime's pods is changed: the fields Trainer lets a TrainJob change, and no others. */
  readonly runtimePatches: readonly {
    readonly manager: string;
    readonly trainingRuntimeSpec: {
      readonly template: {
        readonly spec: {
          readonly replicatedJobs: readonly {
            readonly name: string;
            readonly template: { readonly spec: { readonly template: PodPatch } };
          }[];
        };
      };
    };
  }[];
}
export interface PodPatch {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly securityContext: object;
    readonly terminationGracePeriodSeconds: number;
    readonly imagePullSecrets?: readonly { readonly name: string }[] | undefined;
    readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
    readonly affinity?: Affinity | undefined;
    readonly tolerations?: readonly Toleration[] | undefined;
    readonly volumes: readonly Volume[];
    readonly containers: readonly {
      readonly name: string;
      readonly securityContext: object;
      readonly volumeMounts: readonly VolumeMount[];
    }[];
  };
}
export const trainJob = customKind<TrainJobSpec>(
  'trainer.kubeflow.org/v1alpha1',
  'TrainJob',
  'trainjobs.trainer.kubeflow.org',
);
