import type { ContainerSecurityContext, PodTemplate, VolumeMount } from '../pod/pod-spec.ts';
import { customKind } from './custom-resource.ts';

/** https://ray-project.github.io/kuberay/reference/api/ (KubeRay 1.5) */
export interface RayServiceSpec {
  /** Ray Serve's configuration, as YAML in a string. */
  readonly serveConfigV2: string;
  readonly upgradeStrategy?: { readonly type: 'NewCluster' | 'None' } | undefined;
  readonly rayClusterConfig: {
    readonly rayVersion: string;
    readonly enableInTreeAutoscaling: boolean;
    /** Of the container beside Ray's that KubeRay adds to the head. */
    readonly autoscalerOptions?:
      | {
          readonly securityContext: ContainerSecurityContext;
          readonly volumeMounts: readonly VolumeMount[];
        }
      | undefined;
    readonly headGroupSpec: {
      readonly rayStartParams: Readonly<Record<string, string>>;
      readonly template: PodTemplate;
    };
    readonly workerGroupSpecs: readonly {
      readonly groupName: string;
      readonly replicas: number;
      readonly minReplicas: number;
      readonly maxReplicas: number;
      readonly rayStartParams: Readonly<Record<string, string>>;
      readonly template: PodTemplate;
    }[];
  };
}
export const rayService = customKind<RayServiceSpec>('ray.io/v1', 'RayService', 'rayservices.ray.io');
