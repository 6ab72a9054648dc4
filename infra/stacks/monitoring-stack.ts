import type { Construct } from 'constructs';
import { AlertTopic, ReleaseAlarms, ReleaseDashboard } from '../../constructs/aws/index.ts';
import type { Deployment } from '../config/deployment.ts';
import type { MonitoringConfig } from '../config/monitoring-schema.ts';
import { EnvironmentStack, stackName } from './environment-stack.ts';
import { durationOf } from './stored.ts';

/** Who is woken by what, and where to look: for every endpoint of the file. */
export class MonitoringStack extends EnvironmentStack {
  readonly pages: AlertTopic;
  readonly alarms: Readonly<Record<string, ReleaseAlarms>>;
  readonly dashboards: Readonly<Record<string, ReleaseDashboard>>;

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
  }
}
