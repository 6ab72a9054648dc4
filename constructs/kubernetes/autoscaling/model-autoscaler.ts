import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { KubernetesObject } from '../kubernetes-object.ts';
import { checkServiceName } from '../labels.ts';
import { type HorizontalPodAutoscalerBody, horizontalPodAutoscaler, type ScalingMetric } from '../native.ts';
import { Findings } from '../problem.ts';
import type { ProgramDeployment } from '../serving/program-deployment.ts';
import { checkAgainstBudget, scaledBounds } from './scaled-bounds.ts';
import { scalingBehavior } from './scaling-behavior.ts';

export interface ModelAutoscalerProps {
  /** Has bounds as its replicas. */
  readonly target: ProgramDeployment;
  /** Percent of the CPU that is requested, on average. */
  readonly cpuPercent?: number;
  /** Metrics of pods that an adapter offers, with what each pod shall have of it. */
  readonly podMetrics?: readonly { readonly name: string; readonly average: number }[];
  /** Metrics from elsewhere that an adapter offers, divided by the pods. */
  readonly externalMetrics?: readonly {
    readonly name: string;
    readonly average: number;
    readonly labels?: Readonly<Record<string, string>>;
  }[];
  /**
   * How long there must be too many pods before one goes.
   * @default 5 minutes
   */
  readonly quiet?: Duration;
}

/** A HorizontalPodAutoscaler for a model server, on CPU and on what a metrics adapter offers. For PromQL take `KedaAutoscaler`. */
export class ModelAutoscaler extends Construct {
  readonly autoscaler: KubernetesObject<HorizontalPodAutoscalerBody>;

  /** @throws ConstructError */
  constructor(scope: Construct, id: string, props: ModelAutoscalerProps) {
    super(scope, id);
    const { target, cpuPercent, podMetrics = [], externalMetrics = [], quiet } = props;
    const findings = new Findings(this, 'ModelAutoscaler');
    checkServiceName(id, findings);
    const { min, max, target: scaleTargetRef } = scaledBounds(target, findings);
    checkAgainstBudget(target, min, findings);
    const metrics: readonly ScalingMetric[] = [
      ...(cpuPercent === undefined
        ? []
        : [
            {
              type: 'Resource' as const,
              resource: {
                name: 'cpu' as const,
                target: { type: 'Utilization' as const, averageUtilization: cpuPercent },
              },
            },
          ]),
      ...podMetrics.map(({ name, average }) => ({
        type: 'Pods' as const,
        pods: { metric: { name }, target: { type: 'AverageValue' as const, averageValue: quantity(average) } },
      })),
      ...externalMetrics.map(({ name, average, labels }) => ({
        type: 'External' as const,
        external: {
          metric: { name, ...(labels === undefined ? {} : { selector: { matchLabels: labels } }) },
          target: { type: 'AverageValue' as const, averageValue: quantity(average) },
        },
      })),
    ];
    findings.demand(metrics.length > 0, () => ({
      code: 'no-metrics',
      message: 'nothing says when to scale',
      fix: 'Set cpuPercent, or name metrics.',
    }));
    findings.demand(
      cpuPercent === undefined || (Number.isInteger(cpuPercent) && cpuPercent >= 1 && cpuPercent <= 100),
      () => ({
        code: 'bad-percent',
        message: 'cpuPercent is no percentage of what is requested',
        found: String(cpuPercent),
        expected: 'a whole number from 1 to 100',
        fix: 'Set it to 70.',
      }),
    );
    findings.demand(min >= 1, () => ({
      code: 'no-scale-to-zero',
      message: `replicas.min ${min} of ${target.identity.instance}: a HorizontalPodAutoscaler does not scale to nothing`,
      fix: 'Set replicas.min to 1, or use KedaAutoscaler.',
    }));
    findings.throwIfAny();
    this.autoscaler = new KubernetesObject(
      this,
      'autoscaler',
      horizontalPodAutoscaler,
      { name: id, labels: { ...target.workload.metadata.toJson().labels } },
      {
        spec: {
          scaleTargetRef,
          minReplicas: min,
          maxReplicas: max,
          metrics,
          behavior: scalingBehavior(quiet === undefined ? 300 : Math.ceil(quiet.toSeconds({ integral: false }))),
        },
      },
    );
  }
}

/** Thousandths where it is no whole number, as Kubernetes writes them. */
function quantity(value: number): string {
  return Number.isInteger(value) ? String(value) : `${Math.round(value * 1000)}m`;
}
