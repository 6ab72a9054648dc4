import { Construct } from 'constructs';
import { type DashboardJson, type ServingDashboardOptions, servingDashboard } from '../../dashboards/index.ts';
import { CustomResource } from '../crd/custom-resource.ts';
import { grafanaDashboard } from '../crd/grafana-operator.ts';
import { KubernetesObject, mostBytes } from '../kubernetes-object.ts';
import { type Labels, labelsOf } from '../labels.ts';
import { configMap } from '../native.ts';
import { Findings } from '../problem.ts';
import { profileOf } from './model-alerts.ts';
import type { MonitoredServer } from './monitored-server.ts';

export interface ModelDashboardProps extends Omit<ServingDashboardOptions, 'profile'> {
  /** The server, or the two sides of a canary: servers of one kind. */
  readonly targets: readonly [MonitoredServer, ...MonitoredServer[]];
  /**
   * Who brings it to Grafana. `sidecar`: a ConfigMap that the sidecar of Grafana's chart reads. `operator`: a GrafanaDashboard of the Grafana
   * operator, for the Grafanas with these labels.
   * @default 'sidecar'
   */
  readonly by?: 'sidecar' | { readonly operator: Labels };
  /** Grafana's folder. @default where Grafana puts it */
  readonly folder?: string;
  /** @default `<the first target's instance>-dashboard` */
  readonly name?: string;
  readonly labels?: Labels;
}

/** A model server's dashboard in the cluster. */
export class ModelDashboard extends Construct {
  readonly object: KubernetesObject<object>;
  /** Grafana's JSON. */
  readonly json: DashboardJson;
  /** Panels that this server has no series for, and what to do instead. */
  readonly absent: readonly string[];

  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: ModelDashboardProps) {
    super(scope, id);
    const { targets, by = 'sidecar', folder, name, labels, ...options } = props;
    const [{ identity }] = targets;
    const findings = new Findings(this, 'ModelDashboard');
    const profile = profileOf(targets, findings);
    const uid = props.uid ?? `sluice-${identity.instance}`.slice(0, 40);
    findings.demand(/^[A-Za-z0-9_-]{1,40}$/.test(uid), () => ({
      code: 'bad-uid',
      message: 'Grafana takes no such uid',
      found: uid,
      expected: 'at most 40 letters, digits, "-" and "_"',
      fix: 'Set uid.',
    }));
    const title = props.title ?? `Sluice / ${identity.model ?? identity.instance}`;
    const dashboard = servingDashboard({ ...options, profile, uid, title });
    const text = JSON.stringify(dashboard.json);
    const bytes = Buffer.byteLength(text);
    findings.demand(bytes < mostBytes, () => ({
      code: 'dashboard-too-large',
      message: `the dashboard has ${bytes} bytes; "kubectl apply" keeps at most ${mostBytes} of an object`,
      fix: 'Shorten the title, or leave out rows: gpu: false, reward: false.',
    }));
    findings.throwIfAny();
    this.json = dashboard.json;
    this.absent = dashboard.absent;
    const metadata = { name: name ?? `${identity.instance}-dashboard`, labels: { ...labelsOf(identity), ...labels } };
    this.object =
      by === 'sidecar'
        ? new KubernetesObject(
            this,
            'config-map',
            configMap,
            {
              ...metadata,
              labels: { ...metadata.labels, grafana_dashboard: '1' },
              ...(folder === undefined ? {} : { annotations: { grafana_folder: folder } }),
            },
            { data: { [`${uid}.json`]: text } },
          )
        : new CustomResource(this, 'grafana-dashboard', grafanaDashboard, {
            metadata,
            spec: {
              instanceSelector: { matchLabels: by.operator },
              json: text,
              ...(folder === undefined ? {} : { folder }),
              resyncPeriod: '10m',
            },
          });
  }
}
