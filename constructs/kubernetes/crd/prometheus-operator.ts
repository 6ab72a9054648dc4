import { customKind } from './custom-resource.ts';

/** https://prometheus-operator.dev/docs/api-reference/api/ (v0.85) */
export interface MonitorEndpoint {
  /** Name of the container's port. */
  readonly port?: string | undefined;
  /** Of a Service's pods: the name of their port, whether the Service has it or not. */
  readonly targetPort?: string | undefined;
  readonly path: string;
  readonly interval: string;
  readonly scrapeTimeout: string;
  /** The series' own labels win over those of the target. */
  readonly honorLabels?: boolean | undefined;
  /** Of the target, before it is scraped. */
  readonly relabelings?: readonly Relabeling[] | undefined;
}

export interface Relabeling {
  readonly action?: 'keep' | 'replace' | undefined;
  readonly sourceLabels: readonly string[];
  readonly regex: string;
  readonly targetLabel?: string | undefined;
  readonly replacement?: string | undefined;
}

interface MonitorSpec {
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  /** @default the monitor's own namespace */
  readonly namespaceSelector?: { readonly any?: true; readonly matchNames?: readonly string[] } | undefined;
  /** The label of the Service or pod that becomes `job`. */
  readonly jobLabel?: string | undefined;
  /** Labels of the pods that their series get. */
  readonly podTargetLabels?: readonly string[] | undefined;
  /** Samples in one scrape beyond which it is refused. */
  readonly sampleLimit?: number | undefined;
}

export interface ServiceMonitorSpec extends MonitorSpec {
  readonly endpoints: readonly MonitorEndpoint[];
}
export const serviceMonitor = customKind<ServiceMonitorSpec>(
  'monitoring.coreos.com/v1',
  'ServiceMonitor',
  'servicemonitors.monitoring.coreos.com',
);

export interface PodMonitorSpec extends MonitorSpec {
  readonly podMetricsEndpoints: readonly MonitorEndpoint[];
}
export const podMonitor = customKind<PodMonitorSpec>(
  'monitoring.coreos.com/v1',
  'PodMonitor',
  'podmonitors.monitoring.coreos.com',
);

export interface PrometheusRuleSpec {
  readonly groups: readonly {
    readonly name: string;
    readonly interval?: string;
    readonly rules: readonly object[];
  }[];
}
export const prometheusRule = customKind<PrometheusRuleSpec>(
  'monitoring.coreos.com/v1',
  'PrometheusRule',
  'prometheusrules.monitoring.coreos.com',
);
