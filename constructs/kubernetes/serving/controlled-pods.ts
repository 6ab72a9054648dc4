import { Construct } from 'constructs';
import { KubernetesObject } from '../kubernetes-object.ts';
import type { Labels } from '../labels.ts';
import { type NetworkPolicyBody, networkPolicy, type PodDisruptionBudgetBody, podDisruptionBudget } from '../native.ts';
import type { WorkloadProps } from './serving-props.ts';

/** Who may reach the pods of a server, and what they may reach. */
export type PodAccess = Pick<WorkloadProps, 'clients' | 'scrapers' | 'egress' | 'networkPolicy'>;

export interface ControlledPodsProps {
  /** Of both objects. */
  readonly name: string;
  readonly labels: Labels;
  /** Labels the project's controller gives its pods, or passes on to them. */
  readonly selector: Labels;
  /** Absent: no NetworkPolicy. */
  readonly access?: Pick<NetworkPolicyBody['spec'], 'ingress' | 'egress'> | undefined;
  /** Absent: none. */
  readonly disruption?: { readonly maxUnavailable: number } | { readonly minAvailable: number } | undefined;
  /** Of the pods that are counted, where those are not all. */
  readonly counted?: Labels;
}

/** What the controllers of KServe, Seldon and KubeRay do not make for their pods: who reaches them, and how many may be evicted at once. */
export class ControlledPods extends Construct {
  readonly networkPolicy?: KubernetesObject<NetworkPolicyBody>;
  readonly podDisruptionBudget?: KubernetesObject<PodDisruptionBudgetBody>;

  constructor(scope: Construct, id: string, props: ControlledPodsProps) {
    super(scope, id);
    const { name, labels, selector, access, disruption, counted = selector } = props;
    const metadata = { name, labels };
    if (access !== undefined) {
      this.networkPolicy = new KubernetesObject(this, 'network-policy', networkPolicy, metadata, {
        spec: { podSelector: { matchLabels: selector }, policyTypes: ['Ingress', 'Egress'], ...access },
      });
    }
    if (disruption !== undefined) {
      this.podDisruptionBudget = new KubernetesObject(this, 'pod-disruption-budget', podDisruptionBudget, metadata, {
        spec: {
          selector: { matchLabels: counted },
          ...disruption,
          unhealthyPodEvictionPolicy: 'AlwaysAllow',
        },
      });
    }
  }
}
