import { Duration } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { type ServingProfileName, servingMetrics, servingProfileNames } from '../../../core/telemetry/index.ts';
import { arms } from '../fixtures/gallery.ts';
import { manifestsOf, newChart, one, problemsOf, refusalText } from '../fixtures/test-chart.ts';
import { datadogAnnotations } from './datadog.ts';
import { DcgmMonitor } from './dcgm-monitor.ts';
import { MetricsMonitor } from './metrics-monitor.ts';
import { ModelAlerts } from './model-alerts.ts';
import { ModelDashboard } from './model-dashboard.ts';
import { ModelMonitoring } from './model-monitoring.ts';
import type { MonitoredServer } from './monitored-server.ts';

function server(profile: ServingProfileName = 'sluice', instance = 'churn'): MonitoredServer {
  return {
    identity: { name: 'sluice-serve', instance, component: 'model-server', model: 'churn', modelVersion: '3' },
    metrics: { port: 'http', path: '/metrics', profile },
  };
}
const silent: MonitoredServer = { identity: { name: 'ollama', instance: 'llama', component: 'model-server' } };

describe('what scrapes a model server', () => {
  test('finds the pods by what never changes and gives their series the version', () => {
    const { spec } = one(
      manifestsOf((chart) => new MetricsMonitor(chart, 'monitor', { target: server() })),
      'PodMonitor',
    );
    expect(spec).toEqual({
      selector: { matchLabels: { 'app.kubernetes.io/name': 'sluice-serve', 'app.kubernetes.io/instance': 'churn' } },
      jobLabel: 'app.kubernetes.io/instance',
      podTargetLabels: ['sluice.dev/model-version'],
      sampleLimit: 20_000,
      podMetricsEndpoints: [{ port: 'http', path: '/metrics', interval: '30s', scrapeTimeout: '10s' }],
    });
  });

  test("through a Service it asks for the pods' port, which the Service may leave out", () => {
    const { spec } = one(
      manifestsOf((chart) => new MetricsMonitor(chart, 'monitor', { target: server(), through: 'service' })),
      'ServiceMonitor',
    );
    expect(spec.endpoints).toEqual([{ targetPort: 'http', path: '/metrics', interval: '30s', scrapeTimeout: '10s' }]);
  });

  test('selects the pods of the server, by the name of a port they have', () => {
    const manifests = manifestsOf(
      (chart) => new ModelMonitoring(chart, 'all', { targets: [arms(chart).canary], dashboard: false }),
    );
    const { spec } = one(manifests, 'PodMonitor');
    const templates = manifests.filter(({ kind }) => kind === 'Deployment').map((each) => each['spec'].template);
    const chosen = templates.filter(({ metadata }) =>
      Object.entries(spec.selector.matchLabels).every(([name, value]) => metadata.labels[name] === value),
    );
    expect(chosen.length).toBe(1);
    const ports = chosen[0].spec.containers.flatMap((each: { ports: readonly { name: string }[] }) =>
      each.ports.map(({ name }) => name),
    );
    expect(ports).toContain(spec.podMetricsEndpoints[0].port);
    expect(Object.keys(chosen[0].metadata.labels)).toEqual(expect.arrayContaining(spec.podTargetLabels));
  });

  test('is refused with everything that is wrong', () => {
    const codes = problemsOf(
      (chart) =>
        new MetricsMonitor(chart, 'monitor', {
          target: silent,
          interval: Duration.minutes(2),
          timeout: Duration.minutes(3),
        }),
    ).map(({ code }) => code);
    expect(codes).toEqual(['no-metrics', 'timeout-over-interval', 'interval-too-long']);
    expect(refusalText((chart) => new MetricsMonitor(chart, 'monitor', { target: silent }))).toContain(
      'MetricsMonitor "shop/monitor": the server ollama has no metrics',
    );
  });

  test("keeps the DCGM exporter's own labels: they name the pod that uses the GPU", () => {
    const { spec } = one(
      manifestsOf((chart) => new DcgmMonitor(chart, 'dcgm')),
      'ServiceMonitor',
    );
    expect(spec.endpoints[0]).toMatchObject({ honorLabels: true, port: 'gpu-metrics' });
    expect(spec.namespaceSelector).toEqual({ matchNames: ['gpu-operator'] });
    expect(problemsOf((chart) => new DcgmMonitor(chart, 'dcgm', { selector: {} })).map(({ code }) => code)).toEqual([
      'no-selector',
    ]);
  });
});

describe("a model's alerts", () => {
  test('are one PrometheusRule for both sides of a canary, which Prometheus finds by its labels', () => {
    const manifests = manifestsOf((chart) => {
      const { baseline, canary } = arms(chart);
      new ModelMonitoring(chart, 'all', { targets: [baseline, canary], labels: { release: 'prometheus' } });
    });
    expect(manifests.filter(({ kind }) => kind === 'PodMonitor').length).toBe(2);
    const rule = one(manifests, 'PrometheusRule');
    expect(rule.metadata.labels).toMatchObject({ release: 'prometheus', 'sluice.dev/model': 'churn' });
    const text = JSON.stringify(rule['spec']);
    expect(text).toContain('model_name=\\"churn\\",namespace=\\"shop\\"');
  });

  test('select other servers by their job, which their monitor sets', () => {
    const { rule, absent } = new ModelAlerts(newChart(), 'alerts', {
      targets: [server('triton'), server('triton', 'churn-canary')],
    });
    expect(JSON.stringify(rule.body.spec)).toContain('job=~\\"churn|churn-canary\\"');
    expect(absent.map(({ alert }) => alert)).toContain('ModelNotReady');
  });

  test('are refused for servers that differ, or whose metrics mean nothing here', () => {
    const refused = (targets: readonly [MonitoredServer, ...MonitoredServer[]]) =>
      problemsOf((chart) => new ModelAlerts(chart, 'alerts', { targets })).map(({ code }) => code);
    expect(refused([server('sluice'), server('triton')])).toEqual(['mixed-profiles']);
    expect(refused([{ ...server(), metrics: { port: 'http', path: '/metrics' } }])).toEqual(['no-profile']);
    expect(refused([silent])).toEqual(['no-metrics']);
  });
});

describe("a model server's dashboard in the cluster", () => {
  test.each(servingProfileNames)(
    'of %s is small enough for kubectl apply, and is the JSON of a dashboard',
    (profile) => {
      const map = one(
        manifestsOf((chart) => new ModelDashboard(chart, 'dashboard', { targets: [server(profile)], reward: true })),
        'ConfigMap',
      );
      expect(Buffer.byteLength(JSON.stringify(map))).toBeLessThan(262_144);
      expect(map.metadata.labels).toMatchObject({ grafana_dashboard: '1' });
      expect(JSON.parse(map['data']['sluice-churn.json'])).toMatchObject({
        uid: 'sluice-churn',
        title: 'Sluice / churn',
        editable: false,
      });
    },
  );

  test('is a GrafanaDashboard for the Grafana operator', () => {
    const { spec } = one(
      manifestsOf(
        (chart) =>
          new ModelDashboard(chart, 'dashboard', {
            targets: [server()],
            by: { operator: { dashboards: 'grafana' } },
            folder: 'Models',
          }),
      ),
      'GrafanaDashboard',
    );
    expect(spec).toMatchObject({ instanceSelector: { matchLabels: { dashboards: 'grafana' } }, folder: 'Models' });
    expect(JSON.parse(spec.json)).toMatchObject({ uid: 'sluice-churn' });
  });

  test('shows the drift over the window that its rules record', () => {
    const { dashboard } = new ModelMonitoring(newChart(), 'all', {
      targets: [server()],
      alerts: { drift: { window: '30m' } },
    });
    expect(JSON.stringify(dashboard?.json)).toContain('psi_rate30m');
  });

  test('is refused when it is too large or Grafana would not take its uid', () => {
    const codes = problemsOf(
      (chart) =>
        new ModelDashboard(chart, 'dashboard', { targets: [server()], uid: 'a/b', title: 'x'.repeat(300_000) }),
    ).map(({ code }) => code);
    expect(codes).toEqual(['bad-uid', 'dashboard-too-large']);
  });
});

describe("what Datadog's agent is told", () => {
  test('is the same metrics at the same port, as an annotation of the pod', () => {
    const annotations = datadogAnnotations(server(), { modelVersion: '3' }) ?? {};
    const { openmetrics } = JSON.parse(annotations['ad.datadoghq.com/server.checks'] ?? '');
    const [instance] = openmetrics.instances;
    expect(instance).toMatchObject({
      openmetrics_endpoint: 'http://%%host%%:%%port_http%%/metrics',
      tags: ['sluice_dev_model_version:3'],
    });
    for (const { name } of Object.values(servingMetrics)) {
      const takes = (given: string) => instance.metrics.some((pattern: string) => new RegExp(pattern).test(given));
      expect([name, takes(name), takes(name.replace(/_total$/, ''))]).toEqual([name, true, true]);
    }
  });

  test.each(servingProfileNames)('names the series of %s, each once', (profile) => {
    const text = datadogAnnotations(server(profile))?.['ad.datadoghq.com/server.checks'] ?? '';
    const { metrics } = JSON.parse(text).openmetrics.instances[0];
    expect(metrics.length).toBeGreaterThan(0);
    expect(new Set(metrics).size).toBe(metrics.length);
  });

  test('is nothing for a server without metrics', () => {
    expect(datadogAnnotations(silent)).toBeUndefined();
  });
});
