import { type App, Chart, Duration } from 'cdk8s';
import { KedaAutoscaler, VllmDeployment } from '../../constructs/kubernetes/index.ts';

/** A language model over two GPUs a pod, scaled on the requests that wait for one. */
export function charts(app: App): void {
  const chart = new Chart(app, 'assistant', { namespace: 'chat' });
  const assistant = new VllmDeployment(chart, 'assistant', {
    image: 'docker.io/vllm/vllm-openai:v0.18.0@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0',
    model: { name: 'assistant', version: '7' },
    weights: {
      huggingFace: 'Qwen/Qwen3-32B',
      revision: '9216db5781bf21249d130ec9da846c4624c16137',
      token: { name: 'hugging-face', key: 'token' },
    },
    modelVolume: '100Gi',
    maxModelLength: 16_384,
    replicas: { min: 2, max: 6 },
    cpu: 8,
    memory: '128Gi',
    gpu: { count: 2, product: 'h100-80gb' },
    startup: { load: Duration.minutes(10), fetch: Duration.minutes(20) },
    drain: { delay: Duration.seconds(15), timeout: Duration.minutes(5) },
  });
  new KedaAutoscaler(chart, 'assistant-scaling', {
    target: assistant,
    prometheus: 'http://prometheus.monitoring:9090',
    goals: { queued: 4 },
    quiet: Duration.minutes(15),
  });
}
