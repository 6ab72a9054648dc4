import { Construct } from 'constructs';
import { CustomResource } from '../crd/custom-resource.ts';
import { type ServiceMonitorSpec, serviceMonitor } from '../crd/prometheus-operator.ts';
import { type Labels, labelNames } from '../labels.ts';
import { Findings } from '../problem.ts';
import { type ScrapeProps, scrapeTimes } from './metrics-monitor.ts';

export interface DcgmMonitorProps extends ScrapeProps {
  /** Labels of the exporter's Service. @default those of NVIDIA's GPU operator, `app: nvidia-dcgm-exporter` */
  readonly selector?: Labels;
  /** Name of the Service's port. @default 'gpu-metrics' */
  readonly port?: string;
  /** Where the exporter runs. @default ['gpu-operator'] */
  readonly namespaces?: readonly [string, ...string[]];
}

/**
 * Has the Prometheus operator scrape NVIDIA's DCGM exporter. The exporter knows which pod uses a GPU and says so in `namespace` and `pod`; its own
 * labels are kept (`honorLabels`), or every GPU would seem to be used by the exporter.
 */
export class DcgmMonitor extends Construct {
  readonly monitor: CustomResource<ServiceMonitorSpec>;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: DcgmMonitorProps = {}) {
    super(scope, id);
    const { selector = { app: 'nvidia-dcgm-exporter' }, port = 'gpu-metrics', namespaces = ['gpu-operator'] } = props;
    const findings = new Findings(this, 'DcgmMonitor');
    const scrape = scrapeTimes(props, findings);
    findings.demand(Object.keys(selector).length > 0, () => ({
      code: 'no-selector',
      message: 'an empty selector selects every Service',
      fix: "Give the labels of the exporter's Service, or leave selector out.",
    }));
    findings.throwIfAny();
    this.monitor = new CustomResource(this, 'service-monitor', serviceMonitor, {
      metadata: { name: id, labels: { [labelNames.managedBy]: 'sluice', ...props.labels } },
      spec: {
        selector: { matchLabels: selector },
        namespaceSelector: { matchNames: namespaces },
        sampleLimit: props.sampleLimit ?? 20_000,
        endpoints: [{ port, path: '/metrics', honorLabels: true, ...scrape }],
      },
    });
  }
}
