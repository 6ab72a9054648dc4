import { type App, Chart, Duration } from 'cdk8s';
import { CanaryRoute, GpuNodePool, TritonDeployment, type TritonModel } from '../../constructs/kubernetes/index.ts';

const image =
  'nvcr.io/nvidia/tritonserver:25.08-py3@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0';

function ranker(version: number, sha256: string): TritonModel {
  return {
    name: 'ranker',
    backend: 'onnxruntime',
    maxBatchSize: 32,
    inputs: [{ name: 'features', type: 'FP32', dims: [30] }],
    outputs: [{ name: 'score', type: 'FP32', dims: [1] }],
    versions: [{ version, file: { uri: `s3://models/ranker/${version}/model.onnx`, sha256 } }],
    dynamicBatching: { preferredBatchSizes: [8, 16, 32], maxQueueDelayMicroseconds: 100 },
    instanceGroups: [{ count: 2, kind: 'GPU' }],
  };
}

/** A ranker on GPUs in two versions, the nodes they run on, and the route that the canary action moves from one to the other. */
export function charts(app: App): void {
  const nodes = new Chart(app, 'gpu-nodes');
  new GpuNodePool(nodes, 'inference-l4', {
    gpus: ['l4'],
    maxGpus: 8,
    cluster: 'production',
    role: 'karpenter-nodes',
    amiVersion: 'v20260801',
  });

  const chart = new Chart(app, 'ranker', { namespace: 'shop' });
  const server = (version: number, sha256: string, replicas: number) =>
    new TritonDeployment(chart, `ranker-v${version}`, {
      image,
      model: { name: 'ranker', version: String(version) },
      models: [ranker(version, sha256)],
      replicas,
      cpu: 4,
      memory: '16Gi',
      gpu: { count: 1, product: 'l4', labels: 'karpenter-aws' },
      startup: { load: Duration.minutes(5) },
      latencyBudget: Duration.millis(50),
    });
  new CanaryRoute(chart, 'ranker', {
    by: { gatewayApi: { parents: [{ name: 'public', namespace: 'gateways' }], hostnames: ['ranker.example.com'] } },
    baseline: server(2, '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752', 4),
    canary: server(3, 'fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13', 1),
    timeout: Duration.seconds(2),
  });
}
