import type { Chart } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest, pinnedFetchImages } from '../fixtures/gallery.ts';
import { manifestsOf, one, problemsOf } from '../fixtures/test-chart.ts';
import { OllamaDeployment } from '../serving/ollama-deployment.ts';
import { TgiDeployment } from '../serving/tgi-deployment.ts';
import { TorchServeDeployment } from '../serving/torchserve-deployment.ts';
import { ModelMonitoring } from './model-monitoring.ts';

const image = (name: string): string => `${name}@sha256:${digest}`;
const sized = {
  cpu: 1,
  memory: '8Gi',
  model: { name: 'writer', version: '2' },
  fetchImages: pinnedFetchImages,
} as const;
const tgi = (chart: Chart): TgiDeployment =>
  new TgiDeployment(chart, 'writer', {
    ...sized,
    image: image('text-generation-inference:3.3.7'),
    weights: { huggingFace: 'org/writer', revision: 'a'.repeat(40) },
    gpu: { product: 'l4' },
  });
const torchServe = (chart: Chart, gpu?: { readonly product: 'l4' }): TorchServeDeployment =>
  new TorchServeDeployment(chart, 'images', {
    ...sized,
    image: image('torchserve:0.12.0-gpu'),
    archive: { uri: 's3://models/images.mar', sha256: digest },
    ...(gpu === undefined ? {} : { gpu }),
  });

describe('what a server shows', () => {
  test('of TGI is what its dashboard and its alerts ask for', () => {
    const manifests = manifestsOf((chart) => new ModelMonitoring(chart, 'all', { targets: [tgi(chart)] }));
    const dashboard = JSON.stringify(one(manifests, 'ConfigMap')['data']);
    const rules = JSON.stringify(one(manifests, 'PrometheusRule')['spec']);
    for (const series of ['tgi_request_success', 'tgi_request_failure', 'tgi_request_duration_bucket'])
      expect([series, dashboard.includes(series), rules.includes(series)]).toEqual([series, true, true]);
    for (const series of ['tgi_queue_size', 'tgi_request_queue_duration', 'tgi_request_generated_tokens_sum'])
      expect(dashboard).toContain(series);
    expect(dashboard).not.toContain('vllm:');
  });

  test('of TorchServe has the GPU where there is one, and no numbers of the node', () => {
    const properties = (gpu?: { readonly product: 'l4' }): string =>
      one(
        manifestsOf((chart) => torchServe(chart, gpu)),
        'ConfigMap',
      )['data']['config.properties'];
    expect(properties({ product: 'l4' })).toContain('disable_system_metrics=false');
    expect(properties()).toContain('disable_system_metrics=true');
    expect(properties()).toContain('metrics_mode=prometheus');
  });

  test('of Ollama is nothing, which is said with where to look instead', () => {
    const [problem] = problemsOf((chart) => {
      const target = new OllamaDeployment(chart, 'writer', {
        ...sized,
        image: image('ollama:0.12.0'),
        weights: { pull: 'llama3.2:3b', sha256: digest },
      });
      new ModelMonitoring(chart, 'all', { targets: [target] });
    });
    expect(problem).toMatchObject({ code: 'no-metrics', fix: expect.stringContaining('istio') });
  });
});
