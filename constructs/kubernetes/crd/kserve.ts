import type { Affinity, Container, Resources, Toleration, TopologySpreadConstraint } from '../pod/pod-spec.ts';
import { customKind } from './custom-resource.ts';

/** https://kserve.github.io/website/docs/reference/crd-api (KServe 0.20) */
export interface InferenceServiceSpec {
  readonly predictor: KservePredictor & { readonly canaryTrafficPercent?: number | undefined };
  readonly canary?:
    | readonly { readonly trafficPercent: number; readonly predictor: KservePredictor & { readonly name: string } }[]
    | undefined;
}
export interface KservePredictor {
  readonly name?: string | undefined;
  readonly minReplicas?: number | undefined;
  readonly maxReplicas?: number | undefined;
  readonly scaleTarget?: number | undefined;
  readonly scaleMetric?: 'cpu' | 'memory' | 'concurrency' | 'rps' | undefined;
  readonly timeout?: number | undefined;
  /** Over the InferenceService's, of this predictor's pods. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly deploymentStrategy?:
    | {
        readonly type: 'RollingUpdate';
        readonly rollingUpdate: { readonly maxSurge: number; readonly maxUnavailable: number };
      }
    | undefined;
  readonly serviceAccountName?: string | undefined;
  readonly automountServiceAccountToken?: boolean | undefined;
  readonly enableServiceLinks?: boolean | undefined;
  /** What the runtimes' own users leave open. */
  readonly securityContext?:
    | { readonly runAsNonRoot: boolean; readonly seccompProfile: { readonly type: 'RuntimeDefault' } }
    | undefined;
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
  readonly affinity?: Affinity | undefined;
  readonly tolerations?: readonly Toleration[] | undefined;
  readonly topologySpreadConstraints?: readonly TopologySpreadConstraint[] | undefined;
  readonly model?: KserveModel | undefined;
  readonly containers?: readonly Container[] | undefined;
}
export interface KserveModel {
  /** Required in `canary[]` by the definition, though not in the stable predictor. */
  readonly name: string;
  readonly modelFormat: { readonly name: string; readonly version?: string | undefined };
  readonly storageUri: string;
  readonly protocolVersion?: 'v1' | 'v2' | undefined;
  readonly runtime?: string | undefined;
  readonly resources: Resources;
}
export const inferenceService = customKind<InferenceServiceSpec>(
  'serving.kserve.io/v1beta1',
  'InferenceService',
  'inferenceservices.serving.kserve.io',
);
