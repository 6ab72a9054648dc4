import type { Chart } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest, gallery } from '../fixtures/gallery.ts';
import { type Manifest, manifestsOf, newChart, one, problemsOf } from '../fixtures/test-chart.ts';
import { KserveInferenceService, type KserveInferenceServiceProps } from '../serving/kserve-inference-service.ts';
import { RayService } from '../serving/ray-service.ts';
import { SeldonDeployment, type SeldonDeploymentProps, SeldonExperiment } from '../serving/seldon-deployment.ts';
import { datadogAnnotations } from './datadog.ts';
import { ModelMonitoring } from './model-monitoring.ts';
import type { MonitoredServer } from './monitored-server.ts';

const own = { image: `registry.example.com/own:1@sha256:${digest}` } as const;
const kserve = (chart: Chart, change: Partial<KserveInferenceServiceProps> = {}): KserveInferenceService =>
  new KserveInferenceService(chart, 'churn', {
    model: { name: 'churn', version: '3' },
    deployment: { mode: 'standard' },
    run: { format: 'onnx', storageUri: 's3://models/churn/3' },
    cpu: 1,
    memory: '1Gi',
    ...change,
  });
const seldon = (chart: Chart, change: Partial<SeldonDeploymentProps> = {}): SeldonDeployment =>
  new SeldonDeployment(chart, 'churn', {
    model: 'churn',
    predictors: [{ version: '3', modelUri: 's3://models/churn/3', traffic: 100, cpu: 1, memory: '1Gi' }],
    ...change,
  });
const monitored =
  (target: (chart: Chart) => MonitoredServer) =>
  (chart: Chart): ModelMonitoring =>
    new ModelMonitoring(chart, 'monitoring', { targets: [target(chart)] });
/** The series that rules and dashboard ask for, as text. */
const asked = (manifests: readonly Manifest[]): readonly string[] => [
  JSON.stringify(one(manifests, 'PrometheusRule')['spec']),
  JSON.stringify(one(manifests, 'ConfigMap')['data']),
];
/** Whom scrapers may reach. */
const openPorts = (manifests: readonly Manifest[]): readonly number[] => {
  const policy = manifests.find(({ kind }) => kind === 'NetworkPolicy');
  const scraped = policy?.['spec'].ingress.find(({ from }: { readonly from: unknown }) =>
    JSON.stringify(from).includes('monitoring'),
  );
  return scraped.ports.map(({ port }: { readonly port: number }) => port);
};

describe('a KServe InferenceService', () => {
  const predictors = [
    [{ format: 'onnx' }, 8002, 'triton', 'nv_inference_request_success'],
    [{ format: 'triton' }, 8002, 'triton', 'nv_inference_request_success'],
    [{ format: 'tensorflow' }, 8002, 'triton', 'nv_inference_request_success'],
    [{ format: 'sklearn' }, 8082, 'mlserver', 'model_infer_request_success_total'],
    [{ format: 'mlflow' }, 8082, 'mlserver', 'model_infer_request_success_total'],
    [{ format: 'xgboost', formatVersion: '1' }, 8082, 'mlserver', 'model_infer_request_success_total'],
    [{ format: 'sklearn', protocol: 'v1' }, 8080, 'kserve', 'request_predict_seconds'],
    [{ format: 'lightgbm', runtime: 'kserve-lgbserver' }, 8080, 'kserve', 'request_predict_seconds'],
    [{ format: 'pytorch', runtime: 'kserve-tritonserver' }, 8002, 'triton', 'nv_inference_request_success'],
  ] as const;
  const modes = [{ mode: 'standard' }, { mode: 'knative' }] as const;

  test.each(modes.flatMap((deployment) => predictors.map((each) => [deployment, ...each] as const)))(
    'in mode %o with a predictor %o is scraped at %i, as %s',
    (deployment, run, port, profile, series) => {
      const storageUri = 's3://models/churn/3';
      const manifests = manifestsOf(
        monitored((chart) => {
          const target = kserve(chart, { deployment, run: { ...run, storageUri } });
          expect(target.metrics).toEqual({ port, container: 'kserve-container', path: '/metrics', profile });
          return target;
        }),
      );
      const [endpoint] = one(manifests, 'PodMonitor')['spec'].podMetricsEndpoints;
      expect(endpoint.relabelings.map(({ replacement }: { readonly replacement?: string }) => replacement)).toEqual([
        undefined,
        `$1:${port}`,
        `[$1]:${port}`,
      ]);
      for (const text of asked(manifests)) expect(text).toContain(series);
      expect(openPorts(manifests)).toContain(port);
    },
  );

  test('is found by the label that its controller gives its pods, and asked at no port that they declare', () => {
    const { spec } = one(manifestsOf(monitored((chart) => kserve(chart))), 'PodMonitor');
    expect(spec).toMatchObject({
      selector: { matchLabels: { 'serving.kserve.io/inferenceservice': 'churn' } },
      jobLabel: 'app.kubernetes.io/instance',
      podTargetLabels: ['sluice.dev/model-version'],
    });
    const [endpoint] = spec.podMetricsEndpoints;
    expect(Object.keys(endpoint).toSorted()).toEqual(['interval', 'path', 'relabelings', 'scrapeTimeout']);
    const [kept, four, six] = endpoint.relabelings;
    expect(kept).toEqual({
      action: 'keep',
      sourceLabels: ['__meta_kubernetes_pod_container_name'],
      regex: 'kserve-container',
    });
    // As Prometheus does: anchored, and nothing where it does not match.
    const addresses = (ip: string): readonly string[] =>
      [four, six].flatMap(({ regex, replacement }) => {
        const pattern = new RegExp(`^(?:${regex})$`);
        return pattern.test(ip) ? [ip.replace(pattern, replacement)] : [];
      });
    expect(addresses('10.1.2.3')).toEqual(['10.1.2.3:8002']);
    expect(addresses('fd00::1:2')).toEqual(['[fd00::1:2]:8002']);
  });

  test.each([
    [own, 'the image registry.example.com/own:1'],
    [{ format: 'pytorch', storageUri: 's3://m/3' }, "KServe's server for pytorch over v2"],
    [{ format: 'huggingface', storageUri: 's3://m/3' }, "KServe's server for huggingface over v2"],
    [{ format: 'tensorflow', protocol: 'v1', storageUri: 's3://m/3' }, "KServe's server for tensorflow over v1"],
    [{ format: 'sklearn', formatVersion: '9', storageUri: 's3://m/3' }, "KServe's server for sklearn 9 over v2"],
    [{ format: 'onnx', runtime: 'our-onnx', storageUri: 's3://m/3' }, 'the runtime our-onnx'],
    [{ format: 'onnx', runtime: 'toString', storageUri: 's3://m/3' }, 'the runtime toString'],
  ] as const)('that runs %o is refused with one error, which names the prop to give', (run, server) => {
    const problems = problemsOf(monitored((chart) => kserve(chart, { run })));
    expect(problems.map(({ code }) => code)).toEqual(['unknown-metrics']);
    expect(problems[0]?.message).toContain(server);
    expect(problems[0]?.fix).toContain('Set metrics of the KserveInferenceService');
  });

  test('is scraped where it is told to be, which scrapers may reach', () => {
    const manifests = manifestsOf(
      monitored((chart) => kserve(chart, { run: own, metrics: { port: 9100, path: '/m', profile: 'kserve' } })),
    );
    const [endpoint] = one(manifests, 'PodMonitor')['spec'].podMetricsEndpoints;
    expect(endpoint.path).toBe('/m');
    expect(endpoint.relabelings[1].replacement).toBe('$1:9100');
    expect(openPorts(manifests)).toEqual([8080, 9100]);
    const silent = problemsOf(monitored((chart) => kserve(chart, { run: own, metrics: { port: 9100 } })));
    expect(silent.map(({ code }) => code)).toEqual(['no-profile']);
    const metrics = { port: 90_000, path: 'metrics' };
    for (const build of [(chart: Chart) => kserve(chart, { metrics }), (chart: Chart) => seldon(chart, { metrics })])
      expect(problemsOf(build).map(({ code }) => code)).toEqual(['bad-port', 'bad-path']);
  });

  test('is one target with its canary, unless that is another server', () => {
    const withCanary = (format: 'onnx' | 'sklearn') => (chart: Chart) =>
      kserve(chart, {
        deployment: {
          mode: 'standard',
          canaries: [
            { version: '4', trafficPercent: 0, run: { format, storageUri: 's3://m/4' }, cpu: 1, memory: '1Gi' },
          ],
        },
      });
    expect(manifestsOf(monitored(withCanary('onnx'))).filter(({ kind }) => kind === 'PodMonitor')).toHaveLength(1);
    expect(problemsOf(monitored(withCanary('sklearn'))).map(({ code }) => code)).toEqual(['mixed-profiles']);
  });

  test('is not scraped through a Service, which has no port for it', () => {
    const problems = problemsOf(
      (chart) => new ModelMonitoring(chart, 'monitoring', { targets: [kserve(chart)], scrape: { through: 'service' } }),
    );
    expect(problems.map(({ code }) => code)).toEqual(['no-service-port']);
  });

  test('is read by Datadog at the number of the port', () => {
    const annotations = datadogAnnotations(kserve(newChart()), { container: 'kserve-container' });
    expect(Object.values(annotations ?? {})[0]).toContain('http://%%host%%:8002/metrics');
  });
});

describe('a SeldonDeployment', () => {
  test("is scraped at Triton's own port, by the label of Seldon's operator", () => {
    const manifests = manifestsOf(monitored((chart) => seldon(chart)));
    const { selector, podMetricsEndpoints } = one(manifests, 'PodMonitor')['spec'];
    expect(selector).toEqual({ matchLabels: { 'seldon-deployment-id': 'churn' } });
    const [{ path, relabelings }] = podMetricsEndpoints;
    expect([path, relabelings[0].regex, relabelings[1].replacement]).toEqual(['/metrics', 'churn', '$1:8002']);
    for (const text of asked(manifests)) expect(text).toContain('nv_inference_request_success');
    expect(openPorts(manifests)).toContain(8002);
  });

  test('has MLServer tell its metrics on one port in every predictor, and is scraped there', () => {
    const predictor = { modelUri: 's3://models/churn', cpu: 1, memory: '1Gi' } as const;
    const manifests = manifestsOf(
      monitored((chart) =>
        seldon(chart, {
          implementation: 'SKLEARN_SERVER',
          predictors: [
            { ...predictor, version: '3', traffic: 90 },
            { ...predictor, version: '4', traffic: 10 },
          ],
        }),
      ),
    );
    const { protocol, predictors } = one(manifests, 'SeldonDeployment')['spec'];
    expect(protocol).toBe('v2');
    for (const { componentSpecs } of predictors)
      expect(componentSpecs[0].spec.containers[0].ports).toEqual([
        { name: 'metrics', containerPort: 6000, protocol: 'TCP' },
      ]);
    const [{ path, relabelings }] = one(manifests, 'PodMonitor')['spec'].podMetricsEndpoints;
    expect([path, relabelings[1].replacement]).toEqual(['/prometheus', '$1:6000']);
    for (const text of asked(manifests)) expect(text).toContain('model_infer_request_success_total');
  });

  test("over Seldon's own protocol is refused with one error, which names the props, and not offered for Triton", () => {
    const spoken = { protocol: 'seldon', implementation: 'XGBOOST_SERVER' } as const;
    const problems = problemsOf(monitored((chart) => seldon(chart, spoken)));
    expect(problems.map(({ code }) => code)).toEqual(['unknown-metrics']);
    expect(problems[0]?.fix).toMatch(/protocol of the SeldonDeployment.*metrics/);
    const told = { port: 6000, path: '/prometheus', profile: 'http' } as const;
    expect(() => manifestsOf(monitored((chart) => seldon(chart, { ...spoken, metrics: told })))).not.toThrow();
    expect(problemsOf((chart) => seldon(chart, { protocol: 'seldon' })).map(({ code }) => code)).toEqual([
      'protocol-unknown',
    ]);
  });
});

test('a SeldonExperiment is refused with whose pods have the metrics', () => {
  const problems = problemsOf(
    monitored(
      (chart) =>
        new SeldonExperiment(chart, 'churn', {
          model: 'churn',
          requirements: ['onnx'],
          candidates: [{ version: '3', storageUri: 's3://models/churn/3', weight: 100 }],
        }),
    ),
  );
  expect(problems.map(({ code }) => code)).toEqual(['shared-metrics']);
  expect(problems[0]?.fix).toContain("Server's pods");
});

test('a RayService is scraped at every pod of its cluster, by the labels KubeRay keeps', () => {
  const manifests = manifestsOf(
    monitored(
      (chart) =>
        new RayService(chart, 'ranker', {
          image: `ray:2.49.0@sha256:${digest}`,
          rayVersion: '2.49.0',
          model: { name: 'ranker', version: '2' },
          importPath: 'ranker.app:ranker',
          worker: { cpu: 4, memory: '16Gi' },
        }),
    ),
  );
  const { selector, podMetricsEndpoints } = one(manifests, 'PodMonitor')['spec'];
  const { headGroupSpec, workerGroupSpecs } = one(manifests, 'RayService')['spec'].rayClusterConfig;
  for (const { template } of [headGroupSpec, workerGroupSpecs[0]]) {
    expect(template.metadata.labels).toMatchObject(selector.matchLabels);
    expect(template.spec.containers[0].ports).toContainEqual({
      name: podMetricsEndpoints[0].port,
      containerPort: 8080,
    });
  }
  for (const text of asked(manifests)) expect(text).toContain('ray_serve_num_http_requests_total');
});

test('what the gallery monitors of KServe is what it opens to scrapers', () => {
  const manifests = manifestsOf(gallery['kserve-monitoring'] ?? (() => undefined));
  expect(openPorts(manifests)).toContain(8082);
  expect(JSON.stringify(one(manifests, 'PodMonitor')['spec'])).toContain('$1:8082');
});
