import { customKind } from './custom-resource.ts';

/** The label by which a job joins a LocalQueue of its namespace. */
export const queueNameLabel = 'kueue.x-k8s.io/queue-name';

/** https://kueue.sigs.k8s.io/docs/concepts/ (v1beta2, Kueue 0.15) */
export interface ResourceFlavorSpec {
  readonly nodeLabels?: Readonly<Record<string, string>> | undefined;
  readonly nodeTaints?:
    | readonly { readonly key: string; readonly value?: string | undefined; readonly effect: string }[]
    | undefined;
  readonly tolerations?:
    | readonly { readonly key: string; readonly operator: string; readonly effect?: string | undefined }[]
    | undefined;
}
export const resourceFlavor = customKind<ResourceFlavorSpec>(
  'kueue.x-k8s.io/v1beta2',
  'ResourceFlavor',
  'resourceflavors.kueue.x-k8s.io',
  true,
);

export interface ClusterQueueSpec {
  readonly cohortName?: string | undefined;
  readonly queueingStrategy: 'StrictFIFO' | 'BestEffortFIFO';
  readonly namespaceSelector: {
    readonly matchLabels?: Readonly<Record<string, string>>;
    readonly matchExpressions?: readonly object[];
  };
  readonly preemption: {
    readonly withinClusterQueue: 'Never' | 'LowerPriority' | 'LowerOrNewerEqualPriority';
    readonly reclaimWithinCohort: 'Never' | 'LowerPriority' | 'Any';
  };
  readonly resourceGroups: readonly {
    readonly coveredResources: readonly string[];
    readonly flavors: readonly {
      readonly name: string;
      readonly resources: readonly {
        readonly name: string;
        readonly nominalQuota: string;
        readonly borrowingLimit?: string | undefined;
        readonly lendingLimit?: string | undefined;
      }[];
    }[];
  }[];
}
export const clusterQueue = customKind<ClusterQueueSpec>(
  'kueue.x-k8s.io/v1beta2',
  'ClusterQueue',
  'clusterqueues.kueue.x-k8s.io',
  true,
);

export const localQueue = customKind<{ readonly clusterQueue: string }>(
  'kueue.x-k8s.io/v1beta2',
  'LocalQueue',
  'localqueues.kueue.x-k8s.io',
);
