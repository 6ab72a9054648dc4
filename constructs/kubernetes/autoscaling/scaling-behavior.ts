import type { ScalingBehavior } from '../native.ts';

/**
 * Up at once, since requests wait; down slowly, since a pod that is taken away needs its whole start to come back: at most one a minute, and only
 * when it was too many for `quietSeconds`.
 */
export function scalingBehavior(quietSeconds: number): ScalingBehavior {
  return {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [
        { type: 'Percent', value: 100, periodSeconds: 30 },
        { type: 'Pods', value: 2, periodSeconds: 30 },
      ],
    },
    scaleDown: {
      // Kubernetes takes an hour at most.
      stabilizationWindowSeconds: Math.min(3600, quietSeconds),
      policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
    },
  };
}
