import type { Chart } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest } from '../fixtures/gallery.ts';
import { manifestsOf, newChart, one, problemsOf, refusalText } from '../fixtures/test-chart.ts';
import { warningsOf } from '../problem.ts';
import { MlflowTracking, type MlflowTrackingProps } from './mlflow-tracking.ts';

const gateway = [{ podSelector: { matchLabels: { 'app.kubernetes.io/instance': 'gateway' } } }];
const tracking =
  (change: Partial<MlflowTrackingProps> = {}) =>
  (chart: Chart): MlflowTracking =>
    new MlflowTracking(chart, 'mlflow', {
      image: `mlflow:3.5.1@sha256:${digest}`,
      backendStore: { name: 'mlflow', key: 'uri' },
      artifacts: { uri: 's3://models/mlflow' },
      clients: gateway,
      cpu: 1,
      memory: '2Gi',
      ...change,
    });
const container = (change: Partial<MlflowTrackingProps> = {}) =>
  one(manifestsOf(tracking(change)), 'Deployment')['spec'].template.spec.containers[0];

describe('MlflowTracking', () => {
  test('has the address of its database from the Secret, and in no argument', () => {
    const { args, env } = container();
    expect(env).toContainEqual({
      name: 'MLFLOW_BACKEND_STORE_URI',
      valueFrom: { secretKeyRef: { name: 'mlflow', key: 'uri' } },
    });
    expect(args).toEqual([
      ...['--host', '0.0.0.0', '--port', '5000', '--serve-artifacts'],
      ...['--artifacts-destination', 's3://models/mlflow'],
    ]);
  });

  test('answers under its own names, to the kubelet, and under those it is given: MLflow refuses all others', () => {
    const { env } = container({ hosts: ['mlflow.example.com'] });
    const names = env.map(({ name }: { readonly name: string }) => name);
    const allowed = env.find(({ name }: { readonly name: string }) => name === 'MLFLOW_SERVER_ALLOWED_HOSTS').value;
    expect(allowed.split(',')).toEqual([
      '$(POD_IP):5000',
      'mlflow:5000',
      'mlflow.shop:5000',
      'mlflow.shop.svc:5000',
      'mlflow.shop.svc.*:5000',
      'mlflow.example.com',
    ]);
    expect(env).toContainEqual({
      name: 'MLFLOW_SERVER_CORS_ALLOWED_ORIGINS',
      value: 'https://mlflow.example.com',
    });
    // Kubernetes only knows variables that stand before.
    expect(names.indexOf('POD_IP')).toBeLessThan(names.indexOf('MLFLOW_SERVER_ALLOWED_HOSTS'));
  });

  test('reaches its database and its bucket, and only the gateway reaches it', () => {
    const { ingress, egress } = one(manifestsOf(tracking({ databasePort: 3306 })), 'NetworkPolicy')['spec'];
    expect(ingress).toEqual([{ from: gateway, ports: [{ port: 'http', protocol: 'TCP' }] }]);
    expect(egress[1].ports.map(({ port }: { readonly port: number }) => port)).toEqual([443, 3306]);
  });

  test('keeps artifacts in a claim where there is no bucket', () => {
    const { args, volumeMounts } = container({ artifacts: { claim: 'mlflow-artifacts' } });
    expect(args).toContain('file:///artifacts');
    expect(volumeMounts).toContainEqual({ name: 'artifacts', mountPath: '/artifacts' });
  });

  test('warns when nobody stands before it', () => {
    const chart = newChart();
    const { clients: _anybody, ...open } = {
      image: `mlflow:3.5.1@sha256:${digest}`,
      backendStore: { name: 'mlflow', key: 'uri' },
      artifacts: { claim: 'mlflow-artifacts' },
      clients: gateway,
      cpu: 1,
      memory: '2Gi',
    } as const;
    new MlflowTracking(chart, 'mlflow', open);
    expect(warningsOf(chart).map(({ code }) => code)).toEqual(['tracking-without-authentication']);
  });

  test('refuses artifacts that go with the pod', () => {
    expect(refusalText(tracking({ artifacts: { uri: './mlruns' } }))).toBe(
      'MlflowTracking "shop/mlflow": artifacts.uri is no place that outlives a pod: found ./mlruns, expected s3://, gs://, wasbs:// or abfss:// and a bucket. Name a bucket, or a claim: artifacts: { claim }.',
    );
  });

  test('tells everything that is wrong at once', () => {
    const build = tracking({
      image: 'mlflow:latest',
      artifacts: { uri: 's3://a b' },
      databasePort: 0,
      hosts: ['*', 'a,b', '$(SECRET)'],
      workers: 0,
    });
    expect(problemsOf(build).map(({ code }) => code)).toEqual([
      'bad-artifacts',
      'bad-port',
      'bad-host',
      'bad-host',
      'bad-host',
      'bad-workers',
      'mutable-image',
    ]);
  });
});
