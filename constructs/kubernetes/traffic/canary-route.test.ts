import type { Chart } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { arms, digest, gallery, pinnedFetchImages } from '../fixtures/gallery.ts';
import { type Manifest, manifestsOf, newChart, one, refusalText } from '../fixtures/test-chart.ts';
import { warningsOf } from '../problem.ts';
import { OnnxDeployment } from '../serving/onnx-deployment.ts';
import { CanaryRoute, type CanaryRouteProps } from './canary-route.ts';

const istio: CanaryRouteProps['by'] = { istio: {} };
const gateway: CanaryRouteProps['by'] = { gatewayApi: { parents: [{ name: 'public' }] } };
const route =
  (by: CanaryRouteProps['by'], change: Partial<CanaryRouteProps> = {}) =>
  (chart: Chart): CanaryRoute =>
    new CanaryRoute(chart, 'churn', { by, ...arms(chart), ...change });
const drawn = (name: string): readonly Manifest[] => manifestsOf(gallery[name] ?? (() => undefined));

describe('CanaryRoute over Istio', () => {
  test('one Service over the pods of both, and a subset that each pod is in once', () => {
    const manifests = manifestsOf(route(istio));
    const shared = manifests.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'churn');
    const pods = manifests
      .filter(({ kind }) => kind === 'Deployment')
      .map((each) => each['spec'].template.metadata.labels);
    for (const labels of pods) expect(labels).toMatchObject(shared?.['spec'].selector);
    const { subsets } = one(manifests, 'DestinationRule')['spec'];
    for (const subset of subsets) {
      expect(
        pods.filter((labels) => Object.entries(subset.labels).every(([name, value]) => labels[name] === value)),
      ).toHaveLength(1);
    }
  });

  test('the canary starts with nothing but requests that ask for it', () => {
    const { http } = one(manifestsOf(route(istio)), 'VirtualService')['spec'];
    expect(http[0].match).toEqual([{ headers: { canary: { exact: 'true' } } }]);
    expect(http[1].route.map(({ weight }: { weight: number }) => weight)).toEqual([100, 0]);
    expect(http[1]).not.toHaveProperty('mirror');
  });

  test('a mirror always says its share, since without one everything is copied', () => {
    const { http } = one(drawn('canary-route-istio'), 'VirtualService')['spec'];
    expect(http[1].mirrorPercentage).toEqual({ value: 10 });
  });

  test('tells what to write into the policy', () => {
    expect(route(istio)(newChart()).traffic).toEqual({
      provider: 'istio',
      namespace: 'shop',
      virtualService: 'churn',
      route: 'predict',
      baseline: 'churn-v3',
      canary: 'churn-v4',
      destinationRule: 'churn',
    });
  });
});

describe('CanaryRoute over the Gateway API', () => {
  test("divides requests between the Services of both, at the server's first port", () => {
    const { rules } = one(drawn('canary-route-gateway-api'), 'HTTPRoute')['spec'];
    expect(rules[1].backendRefs).toEqual([
      { name: 'churn-v3', port: 8000, weight: 90 },
      { name: 'churn-v4', port: 8000, weight: 10 },
    ]);
    expect(rules[0].matches).toEqual([
      { path: { type: 'PathPrefix', value: '/v2' }, headers: [{ name: 'canary', value: 'true' }] },
    ]);
  });

  test('a shadow has copies and nothing else', () => {
    const { rules } = one(drawn('shadow-deployment'), 'HTTPRoute')['spec'];
    expect(rules).toHaveLength(1);
    expect(rules[0].filters).toEqual([
      { type: 'RequestMirror', requestMirror: { backendRef: { name: 'churn-v4', port: 8000 }, percent: 20 } },
    ]);
    expect(rules[0].backendRefs[1].weight).toBe(0);
  });
});

const server = (chart: Chart, id: string, model: { name: string; version: string }) =>
  new OnnxDeployment(chart, id, {
    image: `sluice-serve:1@sha256:${digest}`,
    model,
    file: { uri: 's3://m/m.onnx', sha256: digest },
    cpu: 1,
    memory: '1Gi',
    fetchImages: pinnedFetchImages,
  });

describe('a route that could not be kept', () => {
  test.each<[string, Partial<CanaryRouteProps>, string]>([
    [
      'weights that do not sum to 100',
      { weight: 120 },
      'CanaryRoute "shop/churn": weight is no percentage, and both weights must sum to 100: found 120, expected a whole number from 0 to 100. Correct it.',
    ],
    [
      'a share the canary has no pods for',
      { weight: 80 },
      'CanaryRoute "shop/churn": weight 80 sends the canary what 2 of the baseline\'s 2 replicas answer, and it has 1. Raise the canary\'s replicas to 2, or lower weight.',
    ],
    [
      'a mirror of nothing',
      { mirror: { percent: 0, idempotent: true } },
      'CanaryRoute "shop/churn": mirror.percent is no percentage: found 0, expected a whole number from 1 to 100. Correct it, or leave mirror out.',
    ],
    [
      'a header that is none',
      { header: { name: 'ca nary', value: 'true' } },
      'CanaryRoute "shop/churn": header is no header of HTTP: found ca nary: true. Use letters, digits and "-" for its name, and printable ASCII for its value.',
    ],
  ])('%s', (_, change, text) => {
    expect(refusalText(route(gateway, change))).toContain(text);
  });

  test('the same version twice', () => {
    const build = (chart: Chart) =>
      new CanaryRoute(chart, 'route', {
        by: gateway,
        baseline: server(chart, 'one', { name: 'churn', version: '3' }),
        canary: server(chart, 'two', { name: 'churn', version: '3' }),
      });
    expect(refusalText(build)).toBe(
      'CanaryRoute "shop/route": baseline and canary have the same model.version, so their metrics cannot be told apart: found 3. Give the canary the version it is.',
    );
  });

  test('two different models', () => {
    const build = (chart: Chart) =>
      new CanaryRoute(chart, 'route', {
        by: gateway,
        baseline: server(chart, 'one', { name: 'churn', version: '3' }),
        canary: server(chart, 'two', { name: 'fraud', version: '4' }),
      });
    expect(refusalText(build)).toContain('serve different models');
  });
});

test('copies of requests that have effects are warned of', () => {
  const chart = newChart();
  route(gateway, { mirror: { percent: 10, idempotent: false } })(chart);
  expect(warningsOf(chart).map(({ code }) => code)).toEqual(['mirror-repeats-effects']);
});
