import type { Labels } from '../labels.ts';
import type { TopologySpreadConstraint } from './pod-spec.ts';

/**
 * Pods of one version apart, over zones and then over nodes, where that can be: `ScheduleAnyway`, since three replicas in two zones are
 * better than two replicas. `matchLabelKeys` counts each ReplicaSet for itself (or what `versionLabel` tells apart); otherwise the pods of the old
 * version push those of the new one together during a rolling update (1.27).
 */
export function spreadOver(selector: Labels, versionLabel = 'pod-template-hash'): readonly TopologySpreadConstraint[] {
  return ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway' as const,
    labelSelector: { matchLabels: selector },
    matchLabelKeys: [versionLabel],
  }));
}
