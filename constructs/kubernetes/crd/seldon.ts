import type { Container, ContainerSecurityContext, PodSpec, Resources } from '../pod/pod-spec.ts';
import { customKind } from './custom-resource.ts';

/** Seldon Core 1. */
export interface SeldonDeploymentSpec {
  /** Absent: `seldon`. */
  readonly protocol?: 'seldon' | 'v2' | undefined;
  readonly predictors: readonly SeldonPredictor[];
}
export interface SeldonPredictor {
  readonly name: string;
  readonly replicas: number;
  readonly traffic?: number | undefined;
  readonly shadow?: boolean | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly graph: {
    readonly name: string;
    readonly implementation: string;
    readonly modelUri: string;
    readonly serviceAccountName?: string | undefined;
    readonly envSecretRefName?: string | undefined;
  };
  readonly componentSpecs: readonly {
    readonly spec: Pick<
      PodSpec,
      | 'automountServiceAccountToken'
      | 'enableServiceLinks'
      | 'nodeSelector'
      | 'affinity'
      | 'tolerations'
      | 'topologySpreadConstraints'
    > & {
      /** By the name of its part of the graph: Seldon adds the rest. */
      readonly containers: readonly {
        readonly name: string;
        readonly ports?: Container['ports'] | undefined;
        readonly resources: Resources;
        readonly securityContext: ContainerSecurityContext;
      }[];
    };
  }[];
}
export const seldonDeployment = customKind<SeldonDeploymentSpec>(
  'machinelearning.seldon.io/v1',
  'SeldonDeployment',
  'seldondeployments.machinelearning.seldon.io',
);

/** Seldon Core 2. */
export interface SeldonModelSpec {
  readonly storageUri: string;
  readonly requirements: readonly string[];
  readonly memory?: string | undefined;
  readonly replicas?: number | undefined;
  readonly minReplicas?: number | undefined;
  readonly maxReplicas?: number | undefined;
  readonly secretName?: string | undefined;
}
export const seldonModel = customKind<SeldonModelSpec>('mlops.seldon.io/v1alpha1', 'Model', 'models.mlops.seldon.io');

export interface SeldonExperimentSpec {
  readonly default?: string | undefined;
  readonly candidates: readonly { readonly name: string; readonly weight: number }[];
  readonly mirror?: { readonly name: string; readonly percent: number } | undefined;
  readonly resourceType?: 'model' | 'pipeline' | undefined;
}
export const seldonExperiment = customKind<SeldonExperimentSpec>(
  'mlops.seldon.io/v1alpha1',
  'Experiment',
  'experiments.mlops.seldon.io',
);
