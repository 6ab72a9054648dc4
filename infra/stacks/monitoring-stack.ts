import type { Construct } from 'constructs';
import {
  AlertTopic,
  ManagedGrafana,
  ManagedPrometheus,
  ReleaseAlarms,
  ReleaseDashboard,
} from '../../constructs/aws/index.ts';
import type { Deployment } from '../config/deployment.ts';
import type { MonitoringConfig } from '../config/monitoring-schema.ts';
import { EnvironmentStack, stackName } from './environment-stack.ts';
import { durationOf } from './stored.ts';

/** Who is woken by what, and where to look: for every endpoint of the file, and for models that run in Kubernetes. */
export class MonitoringStack extends EnvironmentStack {
  readonly pages: AlertTopic;
  readonly alarms: Readonly<Record<string, ReleaseAlarms>>;
  readonly dashboards: Readonly<Record<string, ReleaseDashboard>>;
  readonly prometheus?: ManagedPrometheus;
  readonly grafana?: ManagedGrafana;

  constructor(scope: Construct, deployment: Deployment, config: MonitoringConfig) {
    super(scope, deployment, 'monitoring', 'Alarms and dashboards');
    const { name, environment } = deployment;
    const { emails, availability = 0.999, latency } = config;
    const serviceLevel = {
      availability,
      ...(latency === undefined
        ? {}
        : {
            latency: {
              objective: latency.objective,
              threshold: durationOf(latency.threshold).toSeconds({ integral: false }),
            },
          }),
    };
    this.pages = new AlertTopic(this, 'Pages', {
      displayName: stackName(deployment, 'monitoring'),
      ...(emails === undefined ? {} : { emails }),
    });
    const endpoints = Object.keys(environment.serving ?? {});
    this.alarms = Object.fromEntries(
      endpoints.map((endpointName) => [
        endpointName,
        new ReleaseAlarms(this, `Alarms-${endpointName}`, { endpointName, pages: this.pages, serviceLevel }),
      ]),
    );
    this.dashboards = Object.fromEntries(
      Object.entries(this.alarms).map(([endpointName, alarms]) => [
        endpointName,
        new ReleaseDashboard(this, `Dashboard-${endpointName}`, {
          endpointName,
          dashboardName: `${stackName(deployment, 'release')}-${endpointName}`,
          alarms,
          serviceLevel,
          model: name,
          ...(environment.training === undefined ? {} : { trainings: [name] }),
        }),
      ]),
    );
    if (config.prometheus === undefined) return;
    const models = Object.entries(config.prometheus);
    this.prometheus = new ManagedPrometheus(this, 'Prometheus', {
      alias: stackName(deployment, 'models'),
      pages: this.pages,
      rules: Object.fromEntries(
        models.map(([model, { profile, namespace }]) => [
          model,
          { profile, selector: { model, ...(namespace === undefined ? {} : { namespace }) } },
        ]),
      ),
    });
    if (config.grafana === true) {
      this.grafana = new ManagedGrafana(this, 'Grafana', {
        name: stackName(deployment, 'models'),
        prometheus: this.prometheus,
        dashboards: Object.fromEntries(
          models.map(([model, { profile }]) => [`sluice-${model}`, { profile, title: model }]),
        ),
      });
    }
  }
}
