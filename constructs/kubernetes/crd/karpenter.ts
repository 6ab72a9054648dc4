import { customKind } from './custom-resource.ts';

/** https://karpenter.sh/docs/concepts/nodepools/ (v1) */
export interface NodePoolSpec {
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: {
      readonly nodeClassRef: { readonly group: string; readonly kind: string; readonly name: string };
      readonly requirements: readonly NodePoolRequirement[];
      readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
      readonly expireAfter: string;
      readonly terminationGracePeriod?: string | undefined;
    };
  };
  readonly disruption: {
    readonly consolidationPolicy: 'WhenEmpty' | 'WhenEmptyOrUnderutilized';
    readonly consolidateAfter: string;
    readonly budgets: readonly { readonly nodes: string; readonly reasons?: readonly string[] }[];
  };
  readonly limits: Readonly<Record<string, string>>;
  readonly weight?: number | undefined;
}
export interface NodePoolRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'Gt' | 'Lt';
  readonly values?: readonly string[];
}
export const nodePool = customKind<NodePoolSpec>('karpenter.sh/v1', 'NodePool', 'nodepools.karpenter.sh', true);

/** https://karpenter.sh/docs/concepts/nodeclasses/ (v1) */
export interface Ec2NodeClassSpec {
  readonly role: string;
  readonly amiSelectorTerms: readonly { readonly alias: string }[];
  readonly subnetSelectorTerms: readonly { readonly tags: Readonly<Record<string, string>> }[];
  readonly securityGroupSelectorTerms: readonly { readonly tags: Readonly<Record<string, string>> }[];
  readonly blockDeviceMappings: readonly {
    readonly deviceName: string;
    readonly rootVolume: boolean;
    readonly ebs: {
      readonly volumeSize: string;
      readonly volumeType: 'gp3';
      readonly encrypted: boolean;
      readonly deleteOnTermination: boolean;
      readonly throughput?: number | undefined;
      readonly iops?: number | undefined;
    };
  }[];
  readonly instanceStorePolicy?: 'RAID0' | undefined;
  readonly metadataOptions: {
    readonly httpEndpoint: 'enabled';
    readonly httpTokens: 'required';
    readonly httpPutResponseHopLimit: number;
  };
  readonly tags?: Readonly<Record<string, string>> | undefined;
}
export const ec2NodeClass = customKind<Ec2NodeClassSpec>(
  'karpenter.k8s.aws/v1',
  'EC2NodeClass',
  'ec2nodeclasses.karpenter.k8s.aws',
  true,
);
