import type { PodTemplate } from '../pod/pod-spec.ts';
import { customKind } from './custom-resource.ts';

/** https://github.com/kubeflow/spark-operator/blob/master/docs/api-docs.md (v1beta2, Spark operator 2) */
export interface SparkApplicationSpec {
  readonly type: 'Python';
  readonly mode: 'cluster';
  readonly sparkVersion: string;
  readonly image: string;
  readonly imagePullPolicy: 'IfNotPresent';
  readonly mainApplicationFile: string;
  readonly arguments: readonly string[];
  readonly sparkConf: Readonly<Record<string, string>>;
  readonly restartPolicy: {
    readonly type: 'OnFailure' | 'Never';
    readonly onFailureRetries?: number | undefined;
    readonly onFailureRetryInterval?: number | undefined;
    readonly onSubmissionFailureRetries?: number | undefined;
    readonly onSubmissionFailureRetryInterval?: number | undefined;
  };
  readonly timeToLiveSeconds: number;
  readonly dynamicAllocation?:
    | {
        readonly enabled: true;
        readonly shuffleTrackingEnabled: true;
        readonly initialExecutors: number;
        readonly minExecutors: number;
        readonly maxExecutors: number;
      }
    | undefined;
  readonly driver: SparkPod;
  readonly executor: SparkPod & { readonly instances?: number | undefined };
}
export interface SparkPod {
  readonly cores: number;
  readonly coreLimit: string;
  /** Of the JVM, as the JVM writes it: `512m`. */
  readonly memory: string;
  /** Of everything beside the JVM's heap. */
  readonly memoryOverhead: string;
  readonly serviceAccount: string;
  /** What the fields above do not say; Spark fills its container in. */
  readonly template: PodTemplate;
}
export const sparkApplication = customKind<SparkApplicationSpec>(
  'sparkoperator.k8s.io/v1beta2',
  'SparkApplication',
  'sparkapplications.sparkoperator.k8s.io',
);
