import type { ScalingBehavior } from '../native.ts';
import { customKind } from './custom-resource.ts';

/** https://keda.sh/docs/latest/reference/scaledobject-spec/ (KEDA 2.21) */
export interface ScaledObjectSpec {
  readonly scaleTargetRef: { readonly apiVersion: string; readonly kind: string; readonly name: string };
  readonly pollingInterval: number;
  readonly cooldownPeriod: number;
  readonly minReplicaCount: number;
  readonly maxReplicaCount: number;
  readonly fallback?: { readonly failureThreshold: number; readonly replicas: number } | undefined;
  readonly advanced: { readonly horizontalPodAutoscalerConfig: { readonly behavior: ScalingBehavior } };
  readonly triggers: readonly KedaTrigger[];
}
export interface KedaTrigger {
  readonly type: string;
  readonly name?: string | undefined;
  readonly metricType?: 'AverageValue' | 'Value' | 'Utilization' | undefined;
  /** Strings, whatever they mean: numbers are refused. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly authenticationRef?: { readonly name: string } | undefined;
}
export const scaledObject = customKind<ScaledObjectSpec>('keda.sh/v1alpha1', 'ScaledObject', 'scaledobjects.keda.sh');
