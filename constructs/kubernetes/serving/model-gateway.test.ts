import { type Chart, Duration } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest, pinnedFetchImages } from '../fixtures/gallery.ts';
import { type Manifest, manifestsOf, newChart, problemsOf, refusalText } from '../fixtures/test-chart.ts';
import { warningsOf } from '../problem.ts';
import { ModelGateway, type ModelGatewayProps } from './model-gateway.ts';
import { OnnxDeployment } from './onnx-deployment.ts';

const churn = (chart: Chart) =>
  new OnnxDeployment(chart, 'churn', {
    image: `sluice-serve:1@sha256:${digest}`,
    model: { name: 'churn', version: '3' },
    file: { uri: 's3://m/m.onnx', sha256: digest },
    cpu: 1,
    memory: '1Gi',
    fetchImages: pinnedFetchImages,
  });
type Routes = ModelGatewayProps['routes'];
const gateway =
  (routes: (chart: Chart) => Routes, change: Partial<ModelGatewayProps> = {}) =>
  (chart: Chart): ModelGateway =>
    new ModelGateway(chart, 'gateway', {
      image: `nginxinc/nginx-unprivileged:1.29.1@sha256:${digest}`,
      tokens: { name: 'clients', key: 'tokens' },
      cpu: 1,
      memory: '256Mi',
      routes: routes(chart),
      ...change,
    });
const toChurn = (chart: Chart): Routes => [{ path: '/churn', to: churn(chart) }];
const address = { host: 'legacy.example.com', port: 8080 };

const of = (manifests: readonly Manifest[], kind: string): Manifest => {
  const found = manifests.find(
    (each) => each.kind === kind && each.metadata.labels?.['app.kubernetes.io/name'] === 'sluice-gateway',
  );
  if (found === undefined) throw new Error(`the gateway has no ${kind}`);
  return found;
};
const configOf = (manifests: readonly Manifest[]): string => of(manifests, 'ConfigMap')['data']['nginx.conf'];

describe('ModelGateway', () => {
  test('finds a server by its Service, and tells how it is by what its own probe asks', () => {
    const text = configOf(manifestsOf(gateway(toChurn)));
    expect(text).toContain('server "churn:8000" max_fails=0;');
    expect(text).toContain('location = /healthz/churn {');
    expect(text).toContain('proxy_pass "http://sluice_churn/v2/health/ready";');
    expect(text).toContain('location = "/churn/metrics" {');
  });

  test('has the tokens as a file that follows the Secret, and in no variable and no manifest', () => {
    const { containers, volumes } = of(manifestsOf(gateway(toChurn)), 'Deployment')['spec'].template.spec;
    expect(volumes).toContainEqual({
      name: 'tokens',
      secret: { secretName: 'clients', defaultMode: 0o440, items: [{ key: 'tokens', path: 'tokens' }] },
    });
    const mount = containers[0].volumeMounts.find(({ name }: { readonly name: string }) => name === 'tokens');
    expect(mount).toEqual({ name: 'tokens', mountPath: '/etc/sluice/tokens', readOnly: true });
    expect(containers[0].env).toEqual([]);
  });

  test('may reach its servers, look up names and nothing else', () => {
    const { egress } = of(manifestsOf(gateway(toChurn)), 'NetworkPolicy')['spec'];
    expect(egress).toHaveLength(2);
    expect(egress[1]).toEqual({
      to: [
        {
          podSelector: {
            matchLabels: { 'app.kubernetes.io/name': 'sluice-serve', 'app.kubernetes.io/instance': 'churn' },
          },
        },
      ],
      ports: [{ port: 'http', protocol: 'TCP' }],
    });
  });

  test('is no model server: it has no model and no version', () => {
    const { labels } = of(manifestsOf(gateway(toChurn)), 'Deployment').metadata;
    expect(labels?.['app.kubernetes.io/component']).toBe('gateway');
    expect(Object.keys(labels ?? {}).join()).not.toContain('sluice.dev');
  });

  test('another configuration is another ConfigMap, so that pods follow it', () => {
    const nameOf = (change: Partial<ModelGatewayProps>): string =>
      of(manifestsOf(gateway(toChurn, change)), 'ConfigMap').metadata.name;
    expect(nameOf({})).toBe(nameOf({}));
    expect(nameOf({ cpu: 2 })).not.toBe(nameOf({}));
  });

  test('has a volume for answers only where answers are kept', () => {
    const volumesOf = (build: (chart: Chart) => unknown): readonly string[] =>
      of(manifestsOf(build), 'Deployment')['spec'].template.spec.volumes.map(
        ({ name }: { readonly name: string }) => name,
      );
    expect(volumesOf(gateway(toChurn))).not.toContain('cache');
    const kept = gateway((chart) => [{ path: '/churn', to: churn(chart), cache: { ttl: Duration.minutes(1) } }]);
    expect(volumesOf(kept)).toContain('cache');
  });

  test('warns of a gateway without tokens', () => {
    const chart = newChart();
    gateway(toChurn, { tokens: 'none' })(chart);
    expect(warningsOf(chart).map(({ code }) => code)).toEqual(['gateway-without-tokens']);
  });

  test.each<[string, (chart: Chart) => Routes, string]>([
    [
      'a path that would be more than a path',
      () => [{ path: '/a"; return 200;', to: address }],
      'ModelGateway "shop/gateway": routes[0].path is no path: found /a"; return 200;, expected "/", or "/" and words of letters, digits, ".", "_", "~" and "-", without a "/" at the end. Correct it.',
    ],
    [
      'a path that climbs',
      () => [{ path: '/a/..', to: address }],
      'ModelGateway "shop/gateway": routes[0].path is no path: found /a/.., expected "/", or "/" and words of letters, digits, ".", "_", "~" and "-", without a "/" at the end. Correct it.',
    ],
    [
      'a timeout that an update would cut',
      () => [{ path: '/a', to: address, timeout: Duration.minutes(2) }],
      'ModelGateway "shop/gateway": routes[0].timeout 120 s is more than drain.timeout 30 s, so an update of the gateway cuts off answers on their way. Raise drain.timeout to 120 s, or lower the timeout.',
    ],
    [
      "answers to one client's token kept for another",
      () => [{ path: '/a', to: address, forwardAuthorization: true, cache: { ttl: Duration.minutes(1) } }],
      'ModelGateway "shop/gateway": routes[0] has cache and forwardAuthorization, so one client would get what the server answered another\'s token. Leave one of them out.',
    ],
  ])('refuses %s', (_, routes, text) => {
    expect(refusalText(gateway(routes))).toBe(text);
  });

  test('tells everything that is wrong at once', () => {
    const build = gateway(
      () => [
        {
          path: '/healthz/x',
          to: { host: 'a b', port: 0 },
          bodyLimit: '2Gi',
          stream: true,
          cache: { ttl: Duration.millis(0) },
          methods: ['POST'],
        },
        { path: '/healthz/x', to: address, name: 'x y' },
      ],
      { image: 'nginx', cpu: -1 },
    );
    expect(problemsOf(build).map(({ code }) => code)).toEqual([
      'path-taken',
      'bad-address',
      'bad-address',
      'body-over-buffer',
      'bad-ttl',
      'cache-of-a-stream',
      'cache-of-nothing',
      'path-taken',
      'bad-name',
      'route-twice',
      'mutable-image',
      'bad-quantity',
      'bad-quantity',
    ]);
  });
});
