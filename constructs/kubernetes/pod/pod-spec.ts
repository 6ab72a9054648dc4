import type { Memory } from '../quantity.ts';

/**
 * The part of Kubernetes' pod that Sluice writes, under Kubernetes' own names. Undefined fields are left out when the manifest is
 * rendered. Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (1.33).
 */
export interface PodSpec {
  readonly serviceAccountName?: string | undefined;
  readonly automountServiceAccountToken?: boolean | undefined;
  readonly enableServiceLinks?: boolean | undefined;
  readonly securityContext?: PodSecurityContext | undefined;
  readonly terminationGracePeriodSeconds?: number | undefined;
  readonly priorityClassName?: string | undefined;
  readonly runtimeClassName?: string | undefined;
  readonly schedulerName?: string | undefined;
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never' | undefined;
  readonly imagePullSecrets?: readonly { readonly name: string }[] | undefined;
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
  readonly affinity?: Affinity | undefined;
  readonly tolerations?: readonly Toleration[] | undefined;
  readonly topologySpreadConstraints?: readonly TopologySpreadConstraint[] | undefined;
  readonly initContainers?: readonly Container[] | undefined;
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[] | undefined;
}

export interface PodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
  };
  readonly spec: PodSpec;
}

/** Of what looks after a node, which may have to be root there. */
export interface NodePodTemplate {
  readonly metadata: PodTemplate['metadata'];
  readonly spec: Omit<PodSpec, 'securityContext'> & {
    readonly securityContext: Pick<PodSecurityContext, 'seccompProfile'>;
  };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy?: 'IfNotPresent' | 'Always' | 'Never' | undefined;
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly workingDir?: string | undefined;
  readonly env?: readonly EnvVar[] | undefined;
  readonly ports?: readonly ContainerPort[] | undefined;
  readonly resources?: Resources | undefined;
  readonly startupProbe?: Probe | undefined;
  readonly readinessProbe?: Probe | undefined;
  readonly livenessProbe?: Probe | undefined;
  readonly lifecycle?: Lifecycle | undefined;
  /** `Always` on an init container makes it a sidecar (1.29). */
  readonly restartPolicy?: 'Always' | undefined;
  readonly securityContext?: ContainerSecurityContext | undefined;
  readonly terminationMessagePolicy?: 'File' | 'FallbackToLogsOnError' | undefined;
  readonly volumeMounts?: readonly VolumeMount[] | undefined;
}

export interface ContainerPort {
  readonly name: string;
  readonly containerPort: number;
  readonly protocol?: 'TCP' | 'UDP' | undefined;
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string | undefined;
  readonly valueFrom?:
    | {
        readonly secretKeyRef?: SecretKey | undefined;
        readonly fieldRef?: { readonly fieldPath: string } | undefined;
      }
    | undefined;
}

/** A value that Kubernetes takes as it stands: it would put a variable's value in the place of `$(NAME)`. */
export function literal(text: string): string {
  return text.replaceAll('$(', '$$$$(');
}

/** A key of a Secret in the pod's namespace. */
export interface SecretKey {
  readonly name: string;
  readonly key: string;
}

export interface Resources {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

export type ProbeAction =
  | { readonly httpGet: { readonly path: string; readonly port: string; readonly scheme?: 'HTTP' | 'HTTPS' } }
  | { readonly grpc: { readonly port: number; readonly service?: string } }
  | { readonly tcpSocket: { readonly port: string } }
  | { readonly exec: { readonly command: readonly string[] } };

export type Probe = ProbeAction & {
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
};

export interface Lifecycle {
  readonly preStop?:
    | { readonly sleep: { readonly seconds: number } }
    | { readonly exec: { readonly command: readonly string[] } }
    | undefined;
}

export interface PodSecurityContext {
  readonly runAsNonRoot: boolean;
  readonly runAsUser: number;
  readonly runAsGroup: number;
  readonly fsGroup: number;
  readonly fsGroupChangePolicy: 'OnRootMismatch' | 'Always';
  readonly seccompProfile: { readonly type: 'RuntimeDefault' };
}

export interface ContainerSecurityContext {
  readonly allowPrivilegeEscalation: boolean;
  readonly readOnlyRootFilesystem?: boolean | undefined;
  readonly runAsNonRoot?: boolean | undefined;
  readonly runAsUser?: number | undefined;
  /** `add`: for what looks after a node. */
  readonly capabilities: { readonly drop: readonly ['ALL']; readonly add?: readonly ['SYS_ADMIN'] | undefined };
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string | undefined;
  readonly readOnly?: boolean | undefined;
}

export type Volume = { readonly name: string } & (
  | { readonly emptyDir: { readonly medium?: 'Memory' | undefined; readonly sizeLimit: Memory } }
  | { readonly configMap: { readonly name: string; readonly defaultMode?: number } }
  | {
      readonly secret: {
        readonly secretName: string;
        readonly defaultMode?: number;
        readonly items?: readonly KeyToPath[];
      };
    }
  | {
      /** For what looks after a node. */
      readonly hostPath: { readonly path: string; readonly type: 'Directory' | 'DirectoryOrCreate' };
    }
  | { readonly persistentVolumeClaim: { readonly claimName: string; readonly readOnly?: boolean } }
  | { readonly projected: { readonly defaultMode?: number; readonly sources: readonly ProjectedSource[] } }
);

/** What of a pod's own identity is put into a volume, for one container instead of all. */
export type ProjectedSource =
  | { readonly serviceAccountToken: { readonly path: string; readonly expirationSeconds: number } }
  | { readonly configMap: { readonly name: string; readonly items: readonly KeyToPath[] } };

export interface KeyToPath {
  readonly key: string;
  readonly path: string;
}

export interface Toleration {
  readonly key: string;
  readonly operator: 'Exists' | 'Equal';
  readonly value?: string | undefined;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' | undefined;
}

export interface Affinity {
  readonly nodeAffinity?:
    | {
        readonly requiredDuringSchedulingIgnoredDuringExecution: {
          readonly nodeSelectorTerms: readonly { readonly matchExpressions: readonly NodeRequirement[] }[];
        };
      }
    | undefined;
}

export interface NodeRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  readonly values?: readonly string[] | undefined;
}

export interface TopologySpreadConstraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly whenUnsatisfiable: 'ScheduleAnyway' | 'DoNotSchedule';
  readonly labelSelector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly matchLabelKeys?: readonly string[] | undefined;
}
