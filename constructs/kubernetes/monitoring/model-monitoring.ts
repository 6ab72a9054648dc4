import { Construct } from 'constructs';
import type { Labels } from '../labels.ts';
import { MetricsMonitor, type MetricsMonitorProps, type ScrapeProps } from './metrics-monitor.ts';
import { ModelAlerts, type ModelAlertsProps } from './model-alerts.ts';
import { ModelDashboard, type ModelDashboardProps } from './model-dashboard.ts';
import type { MonitoredServer } from './monitored-server.ts';

export interface ModelMonitoringProps {
  /** The server, or the two sides of a canary: servers of one kind that serve one model. */
  readonly targets: readonly [MonitoredServer, ...MonitoredServer[]];
  /** For all three: by which the Prometheus finds them. @default none */
  readonly labels?: Labels;
  readonly scrape?: Omit<ScrapeProps, 'labels'> & Pick<MetricsMonitorProps, 'through'>;
  /** `false`: none. @default those of `servingRules` */
  readonly alerts?: Omit<ModelAlertsProps, 'targets'> | false;
  /** `false`: none. @default for the sidecar of Grafana's chart */
  readonly dashboard?: Omit<ModelDashboardProps, 'targets'> | false;
}

/** Everything to watch a model by: what scrapes its servers, its alerts and its dashboard. */
export class ModelMonitoring extends Construct {
  readonly monitors: readonly MetricsMonitor[];
  readonly alerts?: ModelAlerts;
  readonly dashboard?: ModelDashboard;

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: ModelMonitoringProps) {
    super(scope, id);
    const { targets, scrape, alerts = {}, dashboard = {} } = props;
    const labels = { ...props.labels };
    this.monitors = targets.map(
      (target) => new MetricsMonitor(this, `monitor-${target.identity.instance}`, { ...scrape, labels, target }),
    );
    if (alerts !== false)
      this.alerts = new ModelAlerts(this, 'alerts', { ...alerts, targets, labels: { ...labels, ...alerts.labels } });
    if (dashboard !== false)
      this.dashboard = new ModelDashboard(this, 'dashboard', {
        ...dashboard,
        // The dashboard shows the drift that the rules record.
        ...driftWindowOf(alerts, dashboard),
        targets,
        labels: { ...labels, ...dashboard.labels },
      });
  }
}

function driftWindowOf(
  alerts: NonNullable<ModelMonitoringProps['alerts']>,
  dashboard: Omit<ModelDashboardProps, 'targets'>,
): Pick<ModelDashboardProps, 'driftWindow'> {
  const recorded = alerts === false || alerts.drift === false ? undefined : alerts.drift?.window;
  const window = dashboard.driftWindow ?? recorded;
  return window === undefined ? {} : { driftWindow: window };
}
