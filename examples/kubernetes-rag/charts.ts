import { type App, Chart, Duration } from 'cdk8s';
import { RagStack } from '../../constructs/kubernetes/index.ts';

const pinned = (image: string): string =>
  `${image}@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0`;
const vllm = pinned('docker.io/vllm/vllm-openai:v0.18.0');

/** Answers from a company's handbook, from models that run in the cluster. In your own project import from `sluice/constructs/kubernetes`. */
export function charts(app: App): void {
  const chart = new Chart(app, 'handbook', { namespace: 'handbook' });
  new RagStack(chart, 'handbook', {
    embedding: {
      vllm: {
        image: vllm,
        model: { name: 'bge-m3', version: '1' },
        weights: { huggingFace: 'BAAI/bge-m3', revision: '5617a9f61b028005a4858fdac845db406aefb181' },
        modelVolume: '10Gi',
        cpu: 2,
        memory: '8Gi',
        gpu: { count: 1, product: 'l4' },
      },
    },
    llm: {
      vllm: {
        image: vllm,
        model: { name: 'writer', version: '1' },
        weights: { huggingFace: 'Qwen/Qwen3-8B', revision: 'b968826d9c46dd6066d109eabc6255188de91218' },
        modelVolume: '40Gi',
        maxModelLength: 16_384,
        cpu: 4,
        memory: '48Gi',
        gpu: { count: 1, product: 'l4' },
        startup: { load: Duration.minutes(5), fetch: Duration.minutes(10) },
        drain: { delay: Duration.seconds(15), timeout: Duration.minutes(2) },
      },
    },
    store: {
      image: pinned('docker.io/chromadb/chroma:1.5.3'),
      storage: '20Gi',
      collection: 'handbook',
      cpu: 1,
      memory: '2Gi',
    },
    documents: { claim: 'handbook-documents', folder: 'published', schedule: '*/15 * * * *' },
    query: { image: pinned('docker.io/library/node:24-alpine'), maxTokens: 800 },
    gateway: {
      image: pinned('docker.io/nginxinc/nginx-unprivileged:1.29.1'),
      tokens: { name: 'handbook-readers', key: 'tokens' },
    },
    timeout: Duration.minutes(2),
  });
}
