import type { Construct } from 'constructs';
import { KubernetesObject } from './kubernetes-object.ts';
import type { Labels } from './labels.ts';
import { type NetworkPolicyBody, networkPolicy } from './native.ts';

/** Pods that nobody asks anything, and whom they may ask. */
export function outboundPolicy(
  scope: Construct,
  id: string,
  metadata: { readonly name: string; readonly labels: Labels },
  { pods, egress }: { readonly pods: Labels; readonly egress: NetworkPolicyBody['spec']['egress'] },
): KubernetesObject<NetworkPolicyBody> {
  return new KubernetesObject(scope, id, networkPolicy, metadata, {
    spec: { podSelector: { matchLabels: pods }, policyTypes: ['Ingress', 'Egress'], ingress: [], egress },
  });
}
