import { type Chart, Duration } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest, pinnedFetchImages } from '../fixtures/gallery.ts';
import { manifestsOf, newChart, one, refusalText } from '../fixtures/test-chart.ts';
import { OnnxDeployment, type OnnxDeploymentProps } from './onnx-deployment.ts';

const props: OnnxDeploymentProps = {
  image: `registry.example.com/sluice-serve:1.4.0@sha256:${digest}`,
  model: { name: 'churn', version: '3' },
  file: { uri: 's3://models/churn/3/model.onnx', sha256: digest },
  cpu: 2,
  memory: '1Gi',
  fetchImages: pinnedFetchImages,
};
const deployment =
  (change: Partial<OnnxDeploymentProps> = {}) =>
  (chart: Chart): OnnxDeployment =>
    new OnnxDeployment(chart, 'churn', { ...props, ...change });
const pod = (change: Partial<OnnxDeploymentProps> = {}) =>
  one(manifestsOf(deployment(change)), 'Deployment')['spec'].template.spec;

describe('OnnxDeployment', () => {
  test("puts the verified file where the server's layout has it", () => {
    const verify = pod().initContainers.at(-1);
    expect(verify.env).toContainEqual({ name: 'FILES', value: `${digest} 0 move churn/3/model.onnx` });
    expect(pod().containers[0].volumeMounts).toContainEqual({ name: 'model', mountPath: '/models', readOnly: true });
  });

  test('a release that is no number is version 1 of its own folder and keeps its label', () => {
    const manifests = manifestsOf(deployment({ model: { name: 'churn', version: '2026.11.2' } }));
    const template = one(manifests, 'Deployment')['spec'].template;
    expect(template.spec.initContainers.at(-1).env[1].value).toContain('churn/1/model.onnx');
    expect(template.metadata.labels['sluice.dev/model-version']).toBe('2026.11.2');
  });

  test('external data lands beside the model under its own name', () => {
    const externalData = [{ uri: 'https://models.example.com/weights.bin', sha256: digest }];
    const { initContainers } = pod({ externalData });
    expect(initContainers).toHaveLength(3);
    expect(initContainers.at(-1).env[1].value.split('\n')[1]).toBe(`${digest} 1 move churn/3/weights.bin`);
  });

  test('the server drains by itself, with the times the pod has', () => {
    const { containers, terminationGracePeriodSeconds } = pod({
      drain: { delay: Duration.seconds(8), timeout: Duration.seconds(20) },
    });
    expect(containers[0].args.join(' ')).toContain('--drain-delay 8s --drain-timeout 20s');
    expect(containers[0]).not.toHaveProperty('lifecycle');
    expect(terminationGracePeriodSeconds).toBeGreaterThan(28);
  });

  test('its settings become the flags of `sluice serve`', () => {
    const { args } = pod({
      maxBatch: 16,
      batchDelay: Duration.millis(2),
      maxQueue: 64,
      timeout: Duration.seconds(5),
      cache: 1000,
      cacheTtl: Duration.minutes(1),
      workers: 2,
      warmUp: 5,
      grpc: false,
      accuracy: 0.93,
    }).containers[0];
    expect(args.join(' ')).toBe(
      '/models --drain-delay 5s --drain-timeout 30s --max-batch 16 --batch-delay 2ms --max-queue 64 --timeout 5000ms ' +
        '--cache 1000 --cache-ttl 60000ms --workers 2 --warm-up 5 --accuracy churn=0.93',
    );
  });

  test('a token comes from a Secret, and Prometheus needs none', () => {
    const [container] = pod({ token: { name: 'churn-token', key: 'token' } }).containers;
    expect(container.env).toEqual([
      { name: 'SLUICE_SERVE_TOKEN', valueFrom: { secretKeyRef: { name: 'churn-token', key: 'token' } } },
    ]);
    expect(container.args).toContain('--open-metrics');
  });

  test('says where its metrics are and whose they are', () => {
    expect(deployment()(newChart()).metrics).toEqual({ port: 'http', path: '/metrics', profile: 'sluice' });
  });

  test('a model on a claim is copied, and the server reaches nobody', () => {
    const manifests = manifestsOf(deployment({ file: { uri: 'pvc://models/churn/model.onnx', sha256: digest } }));
    const { volumes, initContainers } = one(manifests, 'Deployment')['spec'].template.spec;
    expect(volumes).toContainEqual({
      name: 'claim-models',
      persistentVolumeClaim: { claimName: 'models', readOnly: true },
    });
    expect(initContainers[0].env).toContainEqual({ name: 'SOURCE', value: 'churn/model.onnx' });
    expect(one(manifests, 'NetworkPolicy')['spec'].egress).toEqual([]);
  });

  test.each<[string, Partial<OnnxDeploymentProps>, string]>([
    [
      'a GPU it would not use',
      { gpu: { count: 1 } },
      'OnnxDeployment "shop/churn": gpu asks for a GPU that OnnxDeployment would not use: its image has no CUDA. Leave gpu out, or serve the model with TritonDeployment.',
    ],
    [
      'waiting that leaves no time to run',
      { batchDelay: Duration.millis(80), latencyBudget: Duration.millis(100) },
      'OnnxDeployment "shop/churn": batchDelay 80 millis takes more than half of latencyBudget 100 millis before the model has begun. Lower batchDelay to at most 50 ms, or raise latencyBudget.',
    ],
    [
      'a digest that is none',
      { file: { uri: 's3://models/churn/model.onnx', sha256: 'ABC' } },
      'OnnxDeployment "shop/churn": file.sha256 is no SHA-256, so the model could not be verified: found ABC, expected 64 small hexadecimal digits. Copy the first word of what sha256sum prints.',
    ],
    [
      'a place nobody can fetch from',
      { file: { uri: 'gs://models/churn/model.onnx', sha256: digest } },
      'OnnxDeployment "shop/churn": file.uri is nowhere a model can be fetched from: found gs://models/churn/model.onnx, expected s3://bucket/key, https://host/path, pvc://claim/path or oci://registry/repository:tag#file. Write it in one of these forms.',
    ],
    [
      'a token in clear text',
      { file: { uri: 'http://models/churn.onnx', sha256: digest, token: { name: 's', key: 'k' } } },
      'OnnxDeployment "shop/churn": file.token would be sent where nobody asks for it, or in clear text: found http://models/churn.onnx, expected https://. Use an https:// address, or leave the token out.',
    ],
    [
      'a path out of the model folder',
      { externalData: [{ uri: 's3://models/w', sha256: digest, path: '../../etc/w' }] },
      'OnnxDeployment "shop/churn": externalData[0].path leaves the model folder, or has characters other than letters, digits and ._+@=-: found ../../etc/w. Write a relative path without "..".',
    ],
  ])('is refused %s', (_, change, text) => {
    expect(refusalText(deployment(change))).toBe(text);
  });
});
