import type { ObjectKind } from './kubernetes-object.ts';
import type { NodePodTemplate, PodTemplate } from './pod/pod-spec.ts';

/** Kubernetes' own kinds, with the fields Sluice writes. */

type Selector = { readonly matchLabels: Readonly<Record<string, string>> };

export interface DeploymentBody {
  readonly spec: {
    /** Left out where an autoscaler decides: every apply would set it back. */
    readonly replicas?: number | undefined;
    readonly revisionHistoryLimit: number;
    readonly progressDeadlineSeconds: number;
    readonly minReadySeconds: number;
    readonly strategy: {
      readonly type: 'RollingUpdate';
      readonly rollingUpdate: { readonly maxSurge: number; readonly maxUnavailable: number };
    };
    readonly selector: Selector;
    readonly template: PodTemplate;
  };
}
export const deployment: ObjectKind<DeploymentBody> = { apiVersion: 'apps/v1', kind: 'Deployment' };

export interface DaemonSetBody {
  readonly spec: {
    readonly revisionHistoryLimit: number;
    readonly updateStrategy: {
      readonly type: 'RollingUpdate';
      readonly rollingUpdate: { readonly maxUnavailable: number | `${number}%` };
    };
    readonly selector: Selector;
    readonly template: NodePodTemplate;
  };
}
export const daemonSet: ObjectKind<DaemonSetBody> = { apiVersion: 'apps/v1', kind: 'DaemonSet' };

export interface VolumeClaimTemplate {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> | undefined };
  readonly spec: {
    readonly accessModes: readonly ['ReadWriteOnce'];
    readonly storageClassName?: string | undefined;
    readonly resources: { readonly requests: { readonly storage: string } };
  };
}

export interface StatefulSetBody {
  readonly spec: {
    readonly serviceName: string;
    readonly replicas: number;
    readonly revisionHistoryLimit: number;
    readonly minReadySeconds: number;
    readonly updateStrategy: { readonly type: 'RollingUpdate' };
    readonly persistentVolumeClaimRetentionPolicy: {
      readonly whenDeleted: 'Retain' | 'Delete';
      readonly whenScaled: 'Retain' | 'Delete';
    };
    readonly selector: Selector;
    readonly template: PodTemplate;
    readonly volumeClaimTemplates: readonly VolumeClaimTemplate[];
  };
}
export const statefulSet: ObjectKind<StatefulSetBody> = { apiVersion: 'apps/v1', kind: 'StatefulSet' };

export interface JobBody {
  readonly spec: {
    readonly backoffLimit: number;
    readonly activeDeadlineSeconds?: number | undefined;
    readonly ttlSecondsAfterFinished?: number | undefined;
    /** Which failures no retry mends (stable in 1.31). */
    readonly podFailurePolicy?:
      | {
          readonly rules: readonly {
            readonly action: 'FailJob';
            readonly onExitCodes: {
              readonly containerName: string;
              readonly operator: 'In';
              readonly values: readonly number[];
            };
          }[];
        }
      | undefined;
    readonly template: PodTemplate;
  };
}
export const job: ObjectKind<JobBody> = { apiVersion: 'batch/v1', kind: 'Job' };

export interface CronJobBody {
  readonly spec: {
    readonly schedule: string;
    readonly timeZone: string;
    readonly concurrencyPolicy: 'Forbid' | 'Replace';
    readonly startingDeadlineSeconds: number;
    readonly successfulJobsHistoryLimit: number;
    readonly failedJobsHistoryLimit: number;
    readonly suspend?: boolean | undefined;
    readonly jobTemplate: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: JobBody['spec'];
    };
  };
}
export const cronJob: ObjectKind<CronJobBody> = { apiVersion: 'batch/v1', kind: 'CronJob' };

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: string;
  readonly appProtocol?: string | undefined;
}
export interface ServiceBody {
  readonly spec: {
    readonly type: 'ClusterIP';
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly ServicePort[];
  };
}
export const service: ObjectKind<ServiceBody> = { apiVersion: 'v1', kind: 'Service' };

export interface ServiceAccountBody {
  readonly automountServiceAccountToken: boolean;
}
export const serviceAccount: ObjectKind<ServiceAccountBody> = { apiVersion: 'v1', kind: 'ServiceAccount' };

export interface ConfigMapBody {
  readonly immutable?: boolean | undefined;
  readonly data: Readonly<Record<string, string>>;
}
export const configMap: ObjectKind<ConfigMapBody> = { apiVersion: 'v1', kind: 'ConfigMap' };

export interface PersistentVolumeClaimBody {
  readonly spec: {
    readonly accessModes: readonly ('ReadWriteOnce' | 'ReadWriteMany')[];
    readonly storageClassName?: string | undefined;
    readonly resources: { readonly requests: { readonly storage: string } };
  };
}
export const persistentVolumeClaim: ObjectKind<PersistentVolumeClaimBody> = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
};

export interface PodDisruptionBudgetBody {
  readonly spec: {
    readonly selector: Selector;
    readonly minAvailable?: number | `${number}%` | undefined;
    readonly maxUnavailable?: number | `${number}%` | undefined;
    /** Pods that never became ready must not hold up the drain of a node (stable in 1.31). */
    readonly unhealthyPodEvictionPolicy: 'AlwaysAllow' | 'IfHealthyBudget';
  };
}
export const podDisruptionBudget: ObjectKind<PodDisruptionBudgetBody> = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
};

/** Who may reach, or be reached: pods by labels, in namespaces by labels, or addresses. */
export interface NetworkPeer {
  readonly podSelector?: { readonly matchLabels?: Readonly<Record<string, string>> } | undefined;
  readonly namespaceSelector?: { readonly matchLabels?: Readonly<Record<string, string>> } | undefined;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] } | undefined;
}
export interface NetworkPort {
  readonly port: number | string;
  readonly protocol?: 'TCP' | 'UDP' | undefined;
}
export interface NetworkPolicyBody {
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly ('Ingress' | 'Egress')[];
    /** Without ports: all of them. */
    readonly ingress: readonly { readonly from?: readonly NetworkPeer[]; readonly ports?: readonly NetworkPort[] }[];
    readonly egress: readonly { readonly to?: readonly NetworkPeer[]; readonly ports?: readonly NetworkPort[] }[];
  };
}
export const networkPolicy: ObjectKind<NetworkPolicyBody> = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
};

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[] | undefined;
}
export const role: ObjectKind<{ readonly rules: readonly PolicyRule[] }> = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
};
export interface RoleBindingBody {
  readonly roleRef: { readonly apiGroup: string; readonly kind: 'Role'; readonly name: string };
  readonly subjects: readonly { readonly kind: 'ServiceAccount'; readonly name: string; readonly namespace?: string }[];
}
export const roleBinding: ObjectKind<RoleBindingBody> = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
};

/** One metric of a HorizontalPodAutoscaler: exactly one of the parts that `type` names. */
export type ScalingMetric =
  | {
      readonly type: 'Resource';
      readonly resource: {
        readonly name: 'cpu' | 'memory';
        readonly target: { readonly type: 'Utilization'; readonly averageUtilization: number };
      };
    }
  | {
      readonly type: 'Pods';
      readonly pods: {
        readonly metric: { readonly name: string };
        readonly target: { readonly type: 'AverageValue'; readonly averageValue: string };
      };
    }
  | {
      readonly type: 'External';
      readonly external: {
        readonly metric: {
          readonly name: string;
          readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
        };
        readonly target:
          | { readonly type: 'AverageValue'; readonly averageValue: string }
          | { readonly type: 'Value'; readonly value: string };
      };
    };

export interface ScalingBehavior {
  readonly scaleUp: ScalingRules;
  readonly scaleDown: ScalingRules;
}
export interface ScalingRules {
  readonly stabilizationWindowSeconds: number;
  readonly selectPolicy?: 'Max' | 'Min' | 'Disabled' | undefined;
  readonly policies: readonly {
    readonly type: 'Pods' | 'Percent';
    readonly value: number;
    readonly periodSeconds: number;
  }[];
}
export interface HorizontalPodAutoscalerBody {
  readonly spec: {
    readonly scaleTargetRef: { readonly apiVersion: string; readonly kind: string; readonly name: string };
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly metrics: readonly ScalingMetric[];
    readonly behavior: ScalingBehavior;
  };
}
export const horizontalPodAutoscaler: ObjectKind<HorizontalPodAutoscalerBody> = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
};
