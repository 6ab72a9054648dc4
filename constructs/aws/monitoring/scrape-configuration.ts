import { stringify } from 'yaml';
import { targetLabels } from '../../../core/telemetry/index.ts';

/** Pods that show metrics: those of one installation. */
export interface ScrapedPods {
  /** Their label `app.kubernetes.io/instance`, which becomes `job`, as `MetricsMonitor` has it. */
  readonly instance: string;
  /** @default every namespace */
  readonly namespace?: string;
  /** The name of the container's port. @default 'http' */
  readonly port?: string;
  /** @default '/metrics' */
  readonly path?: string;
}

/**
 * What a scraper without the Prometheus operator does for the same pods: the same labels as by a PodMonitor of `MetricsMonitor`, so that the
 * same rules and dashboards are right.
 */
export function scrapeConfiguration(pods: readonly ScrapedPods[]): string {
  return stringify(
    {
      global: { scrape_interval: '30s', scrape_timeout: '10s' },
      scrape_configs: pods.map(({ instance, namespace, port = 'http', path = '/metrics' }) => ({
        job_name: namespace === undefined ? instance : `${namespace}/${instance}`,
        metrics_path: path,
        // A label that somebody makes up must not fill the workspace.
        sample_limit: 20_000,
        kubernetes_sd_configs: [
          { role: 'pod', ...(namespace === undefined ? {} : { namespaces: { names: [namespace] } }) },
        ],
        relabel_configs: [
          keep('__meta_kubernetes_pod_label_app_kubernetes_io_instance', instance),
          keep('__meta_kubernetes_pod_container_port_name', port),
          // A pod that is over has still its address.
          { action: 'drop', source_labels: ['__meta_kubernetes_pod_phase'], regex: 'Failed|Succeeded' },
          set('__meta_kubernetes_pod_label_app_kubernetes_io_instance', 'job'),
          set('__meta_kubernetes_namespace', targetLabels.namespace),
          set('__meta_kubernetes_pod_name', targetLabels.pod),
          set('__meta_kubernetes_pod_container_name', 'container'),
          set(`__meta_kubernetes_pod_label_${targetLabels.version}`, targetLabels.version),
        ],
      })),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

function keep(label: string, value: string): object {
  return { action: 'keep', source_labels: [label], regex: value.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&') };
}

function set(from: string, to: string): object {
  return { action: 'replace', source_labels: [from], target_label: to };
}
