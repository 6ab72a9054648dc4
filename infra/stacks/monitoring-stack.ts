import type { Construct } from 'constructs';
import {
  AlertTopic,
  type EndpointHardware,
  instanceHardware,
  ManagedGrafana,
  ManagedPrometheus,
  type MonitoredEndpoint,
  ReleaseAlarms,
  ReleaseDashboard,
} from '../../constructs/aws/index.ts';
import type { Deployment } from '../config/deployment.ts';
import type { MonitoringConfig } from '../config/monitoring-schema.ts';
import { servedVariants } from '../config/served-variants.ts';
import type { EndpointConfig } from '../config/serving-schema.ts';
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
    const endpoints = Object.entries(environment.serving ?? {}).map(([endpointName, endpoint]) => {
      const watched = watchedEndpoint(endpointName, endpoint);
      // Who shares requests between models for good is no rollout, during which pages are silent.
      const forGood = endpoint.variants !== undefined && endpoint.weights !== 'kept';
      const alarms = new ReleaseAlarms(this, `Alarms-${endpointName}`, {
        ...watched,
        pages: this.pages,
        serviceLevel,
        ...(forGood ? { rollouts: false } : {}),
      });
      return [endpointName, watched, alarms] as const;
    });
    this.alarms = Object.fromEntries(endpoints.map(([endpointName, , alarms]) => [endpointName, alarms]));
    this.dashboards = Object.fromEntries(
      endpoints.map(([endpointName, watched, alarms]) => [
        endpointName,
        new ReleaseDashboard(this, `Dashboard-${endpointName}`, {
          ...watched,
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

/** An endpoint of the file as its metrics have it. */
function watchedEndpoint(endpointName: string, endpoint: EndpointConfig): MonitoredEndpoint {
  const served = servedVariants(endpointName, endpoint);
  const [first, ...others] = served.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const hardware = hardwareOf(served.map(({ instanceType }) => instanceType));
  const kind =
    endpoint.serverless !== undefined ? 'serverless' : endpoint.asynchronous !== undefined ? 'asynchronous' : undefined;
  return {
    endpointName,
    ...(first === undefined ? {} : { variants: [first, ...others] }),
    ...(kind === undefined ? {} : { kind }),
    ...(hardware === undefined ? {} : { hardware }),
  };
}

/** Of one instance, where all are alike: SageMaker tells sums, of which there is a share only by what an instance has. */
function hardwareOf(instanceTypes: readonly (string | undefined)[]): EndpointHardware | undefined {
  const [first, ...others] = instanceTypes.map((name) => (name === undefined ? undefined : instanceHardware(name)));
  const alike = others.every((one) => one?.vcpus === first?.vcpus && one?.gpus === first?.gpus);
  return alike ? first : undefined;
}
