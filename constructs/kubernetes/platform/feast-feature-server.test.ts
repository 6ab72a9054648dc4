import { type Chart, Duration } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest } from '../fixtures/gallery.ts';
import { manifestsOf, one, problemsOf, refusalText } from '../fixtures/test-chart.ts';
import { FeastFeatureServer, type FeastFeatureServerProps } from './feast-feature-server.ts';

const feast =
  (change: Partial<FeastFeatureServerProps> = {}) =>
  (chart: Chart): FeastFeatureServer =>
    new FeastFeatureServer(chart, 'features', {
      image: `feature-server:0.66.0@sha256:${digest}`,
      featureStore: { name: 'feast', key: 'feature_store.yaml' },
      storePorts: [6379, 5432],
      cpu: 1,
      memory: '1Gi',
      ...change,
    });
const podOf = (change: Partial<FeastFeatureServerProps> = {}) =>
  one(manifestsOf(feast(change)), 'Deployment')['spec'].template.spec;

describe('FeastFeatureServer', () => {
  test('reads its feature store from the Secret, as the file that Feast wants', () => {
    const { volumes, containers } = podOf();
    expect(volumes).toContainEqual({
      name: 'feature-store',
      secret: {
        secretName: 'feast',
        defaultMode: 0o440,
        items: [{ key: 'feature_store.yaml', path: 'feature_store.yaml' }],
      },
    });
    expect(containers[0].args.slice(0, 3)).toEqual(['--chdir', '/feature-store', 'serve']);
  });

  test('listens to others than itself, and refreshes its registry when it is told to', () => {
    const args: string = podOf({ registryTtl: Duration.minutes(5), workers: 2 }).containers[0].args.join(' ');
    expect(args).toContain('--host 0.0.0.0 --port 6566');
    expect(args).toContain('--workers 2 --registry_ttl_sec 300');
  });

  test('reaches its stores and nothing else', () => {
    const { egress } = one(manifestsOf(feast()), 'NetworkPolicy')['spec'];
    expect(egress).toHaveLength(2);
    expect(egress[1]).toEqual({
      ports: [
        { port: 5432, protocol: 'TCP' },
        { port: 6379, protocol: 'TCP' },
      ],
    });
  });

  test('tells metrics to scrapers alone, and only when asked to', () => {
    expect(podOf().containers[0].ports).toHaveLength(1);
    const manifests = manifestsOf(feast({ metrics: true }));
    expect(one(manifests, 'Deployment')['spec'].template.spec.containers[0].args).toContain('--metrics');
    expect(one(manifests, 'NetworkPolicy')['spec'].ingress[1].ports).toEqual([{ port: 'metrics', protocol: 'TCP' }]);
  });

  test("refuses to count the node's cores", () => {
    expect(refusalText(feast({ workers: -1 }))).toBe(
      "FeastFeatureServer \"shop/features\": workers is no number of processes: found -1, expected a whole number from 1 (Feast's -1 counts the node's cores, not the pod's). Set it to the cores of cpu.limit.",
    );
  });

  test('tells everything that is wrong at once', () => {
    const build = feast({
      storePorts: [0, 70_000],
      registryTtl: Duration.millis(10),
      workers: 1.5,
      image: 'feature-server:latest',
    });
    expect(problemsOf(build).map(({ code }) => code)).toEqual([
      'bad-port',
      'bad-port',
      'bad-ttl',
      'bad-workers',
      'mutable-image',
    ]);
  });
});
