/** What no cluster would keep is refused or told while it is written: research/iac.md, the end of section 4. One line for each. */
import { type Chart, Duration } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { KedaAutoscaler } from './autoscaling/keda-autoscaler.ts';
import { ModelAutoscaler } from './autoscaling/model-autoscaler.ts';
import { arms, digest, pinnedFetchImages } from './fixtures/gallery.ts';
import { newChart, problemsOf } from './fixtures/test-chart.ts';
import { KubernetesObject } from './kubernetes-object.ts';
import { DcgmMonitor } from './monitoring/dcgm-monitor.ts';
import { MetricsMonitor } from './monitoring/metrics-monitor.ts';
import { configMap } from './native.ts';
import { GpuNodePool } from './nodes/gpu-node-pool.ts';
import { warningsOf } from './problem.ts';
import { KserveInferenceService } from './serving/kserve-inference-service.ts';
import { OnnxDeployment, type OnnxDeploymentProps } from './serving/onnx-deployment.ts';
import { RayService } from './serving/ray-service.ts';
import { SeldonDeployment, SeldonExperiment } from './serving/seldon-deployment.ts';
import { TgiDeployment } from './serving/tgi-deployment.ts';
import { VllmDeployment, type VllmDeploymentProps } from './serving/vllm-deployment.ts';
import { CanaryRoute } from './traffic/canary-route.ts';
import { PyTorchJob, type PyTorchJobProps } from './training/pytorch-job.ts';

const image = (name: string): string => `${name}@sha256:${digest}`;
const sized = { model: { name: 'churn', version: '3' }, cpu: 1, memory: '1Gi' } as const;
const onnx = (chart: Chart, change: Partial<OnnxDeploymentProps> = {}): OnnxDeployment =>
  new OnnxDeployment(chart, 'churn', {
    ...sized,
    image: image('sluice-serve:1'),
    file: { uri: 's3://m/m.onnx', sha256: digest },
    fetchImages: pinnedFetchImages,
    ...change,
  });
const weights = { huggingFace: 'org/chat', revision: 'a'.repeat(40) } as const;
const vllm = (chart: Chart, change: Partial<VllmDeploymentProps>): VllmDeployment =>
  new VllmDeployment(chart, 'chat', {
    ...sized,
    image: image('vllm/vllm-openai:v0.18.0'),
    memory: '64Gi',
    weights,
    gpu: { count: 2, product: 'h100-80gb' },
    ...change,
  });
const training = (chart: Chart, change: Partial<PyTorchJobProps>): PyTorchJob =>
  new PyTorchJob(chart, 'churn-train', { ...sized, image: image('train:1'), ...change });
const target = (min: number) => (chart: Chart) =>
  onnx(chart, { replicas: { min, max: 8 }, disruption: { maxUnavailable: 1 } });
const run = { format: 'onnx', storageUri: 's3://m/3' } as const;
const seconds = Duration.seconds;

describe('is refused', () => {
  test.each<[string, string, (chart: Chart) => unknown]>([
    [
      'a grace period that is not longer than delay and drain together',
      'grace-too-short',
      (chart) => onnx(chart, { drain: { delay: seconds(5), timeout: seconds(30), terminationGrace: seconds(35) } }),
    ],
    ['a start without time to load', 'no-load-budget', (chart) => onnx(chart, { startup: { load: seconds(0) } })],
    [
      'a rollout that counts as failed before a slow start is over',
      'deadline-before-start',
      (chart) => onnx(chart, { startup: { load: Duration.minutes(10), progressDeadline: Duration.minutes(10) } }),
    ],
    ['shared memory over the limit', 'shared-memory-over-limit', (chart) => onnx(chart, { sharedMemory: '2Gi' })],
    ['GPUs that no node has', 'gpu-count', (chart) => vllm(chart, { gpu: { count: 3 as never } })],
    [
      'GPUs that tensors and layers are not divided over',
      'gpus-not-used',
      (chart) => vllm(chart, { gpu: { count: 4 }, tensorParallel: 2 }),
    ],
    [
      'GPUs that shards are not divided over',
      'gpus-not-used',
      (chart) =>
        new TgiDeployment(chart, 'chat', { ...sized, image: image('tgi:3'), weights, gpu: { count: 2 }, shards: 1 }),
    ],
    [
      'fp8 on a GPU without it',
      'precision-not-on-gpu',
      (chart) => vllm(chart, { gpu: { count: 1, product: 't4' }, quantization: 'fp8' }),
    ],
    [
      'fp8 on a GPU without it, on the other server',
      'precision-not-on-gpu',
      (chart) =>
        new TgiDeployment(chart, 'chat', {
          ...sized,
          image: image('tgi:3'),
          weights,
          gpu: { product: 't4' },
          quantize: 'fp8',
        }),
    ],
    [
      'bfloat16 on a GPU without it',
      'precision-not-on-gpu',
      (chart) => vllm(chart, { gpu: { count: 1, product: 'v100' }, dtype: 'bfloat16' }),
    ],
    [
      'a MIG profile the product does not have',
      'mig-profile',
      (chart) => vllm(chart, { gpu: { count: 1, product: 'a30', mig: '7g.80gb' } }),
    ],
    [
      'a HorizontalPodAutoscaler that may leave one pod under a budget',
      'budget-without-pods',
      (chart) => new ModelAutoscaler(chart, 'scaling', { target: target(1)(chart), cpuPercent: 70 }),
    ],
    [
      'a ScaledObject that may leave one pod under a budget',
      'budget-without-pods',
      (chart) =>
        new KedaAutoscaler(chart, 'scaling', {
          target: target(1)(chart),
          prometheus: 'http://p:9090',
          goals: { queued: 1 },
        }),
    ],
    [
      'a budget that forbids every eviction',
      'no-eviction-allowed',
      (chart) => onnx(chart, { replicas: 1, disruption: { minAvailable: 1 } }),
    ],
    [
      'a scrape that may take longer than the time to the next',
      'timeout-over-interval',
      (chart) =>
        new MetricsMonitor(chart, 'monitor', { target: onnx(chart), interval: seconds(10), timeout: seconds(11) }),
    ],
    [
      'scrapes of which the windows of alerts hold fewer than four',
      'interval-too-long',
      (chart) => new MetricsMonitor(chart, 'monitor', { target: onnx(chart), interval: seconds(76) }),
    ],
    [
      'the same of the GPUs',
      'interval-too-long',
      (chart) => new DcgmMonitor(chart, 'monitor', { interval: seconds(76) }),
    ],
    [
      'a window that scaling asks of, with fewer than four scrapes',
      'window-too-short',
      (chart) =>
        new KedaAutoscaler(chart, 'scaling', {
          target: target(2)(chart),
          prometheus: 'http://p:9090',
          goals: { requestsPerSecond: 1 },
          window: seconds(60),
        }),
    ],
    [
      'a weight that leaves no sum of 100',
      'bad-weight',
      (chart) =>
        new CanaryRoute(chart, 'route', { by: { istio: { gateways: ['public/web'] } }, ...arms(chart), weight: 101 }),
    ],
    [
      'shares of Seldon Core 2 that do not sum to 100',
      'weights-not-100',
      (chart) =>
        new SeldonExperiment(chart, 'churn', {
          model: 'churn',
          requirements: ['onnx'],
          candidates: [{ version: '1', storageUri: 's3://m', weight: 99 }],
        }),
    ],
    [
      'a canary that cannot hold its share',
      'canary-too-small',
      (chart) =>
        new CanaryRoute(chart, 'route', { by: { istio: { gateways: ['public/web'] } }, ...arms(chart), weight: 60 }),
    ],
    [
      'a canary of KServe that cannot hold its share',
      'canary-too-small',
      (chart) =>
        new KserveInferenceService(chart, 'churn', {
          ...sized,
          run,
          minReplicas: 4,
          deployment: {
            mode: 'standard',
            canaries: [{ version: '4', trafficPercent: 50, run, cpu: 1, memory: '1Gi' }],
          },
        }),
    ],
    [
      'a mirror without a share',
      'bad-mirror',
      (chart) =>
        new CanaryRoute(chart, 'route', {
          by: { istio: { gateways: ['public/web'] } },
          ...arms(chart),
          mirror: { percent: 0, idempotent: true },
        }),
    ],
    [
      "the canary of KServe's other mode",
      'canary-of-other-mode',
      (chart) =>
        new KserveInferenceService(chart, 'churn', {
          ...sized,
          run,
          deployment: { mode: 'standard', canaryTrafficPercent: 10 } as never,
        }),
    ],
    [
      'a training in a queue that does not wait',
      'queue-without-suspend',
      (chart) => training(chart, { queue: 'training', suspend: false }),
    ],
    [
      'GPU nodes without a ceiling',
      'no-gpu-limit',
      (chart) =>
        new GpuNodePool(chart, 'gpu', {
          gpus: ['l4'],
          maxGpus: Number.POSITIVE_INFINITY,
          cluster: 'c',
          role: 'r',
          amiVersion: 'v20260801',
        }),
    ],
    [
      'a training on spot nodes that keeps nothing',
      'spot-without-checkpoints',
      (chart) => training(chart, { spot: true }),
    ],
    [
      'workers of Ray that no node would leave',
      'bad-replicas',
      (chart) =>
        new RayService(chart, 'ranker', {
          image: image('ray:2'),
          rayVersion: '2.49.0',
          model: sized.model,
          importPath: 'a:b',
          worker: { cpu: 1, memory: '4Gi' },
          workers: { min: 4, max: 2 },
        }),
    ],
    [
      'an object larger than kubectl apply keeps',
      'object-too-large',
      (chart) =>
        new KubernetesObject(chart, 'files', configMap, { name: 'files' }, { data: { file: 'x'.repeat(262_144) } }),
    ],
  ])('%s', (_, code, build) => {
    expect(problemsOf(build).map((each) => each.code)).toContain(code);
  });
});

describe('is told', () => {
  const told = (build: (chart: Chart) => unknown): readonly string[] => {
    const chart = newChart();
    build(chart);
    return warningsOf(chart).map(({ code }) => code);
  };

  test.each<[string, string, (chart: Chart) => unknown]>([
    ['an image without a digest', 'image-without-digest', (chart) => onnx(chart, { image: 'sluice-serve:1.4.0' })],
    ['the same of a training', 'image-without-digest', (chart) => training(chart, { image: 'train:1' })],
    [
      'the same of a server in KServe',
      'image-without-digest',
      (chart) =>
        new KserveInferenceService(chart, 'churn', {
          ...sized,
          run: { image: 'server:1' },
          deployment: { mode: 'standard' },
        }),
    ],
    [
      'a mirror of requests that have effects',
      'mirror-repeats-effects',
      (chart) =>
        new CanaryRoute(chart, 'route', {
          by: { istio: { gateways: ['public/web'] } },
          ...arms(chart),
          mirror: { percent: 10, idempotent: false },
        }),
    ],
    [
      'a shadow that gets everything',
      'shadow-copies-everything',
      (chart) =>
        new SeldonDeployment(chart, 'churn', {
          model: 'churn',
          predictors: [
            { version: '3', modelUri: 's3://m/3', traffic: 100, cpu: 1, memory: '1Gi' },
            { version: '4', modelUri: 's3://m/4', traffic: 0, shadow: true, cpu: 1, memory: '1Gi' },
          ],
        }),
    ],
  ])('%s', (_, code, build) => {
    expect(told(build)).toContain(code);
  });
});
