import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { qualityMetrics, type ResourceSeries, resourceSeries } from '../../core/telemetry/index.ts';

/** Labels as each exporter's documentation has them; the DCGM exporter's with `honorLabels`. */
const exporterLabels: Readonly<Record<ResourceSeries['exporter'], string>> = {
  dcgm: 'pod="good-0",container="server",Hostname="node-1",gpu="0",UUID="GPU-0",modelName="NVIDIA L4"',
  cadvisor: 'pod="good-0",container="server",image="sluice"',
  'kube-state-metrics':
    'pod="good-0",container="server",resource="memory",job_name="sluice-guard-good-0a1b2c3d",condition="true"',
  process: 'pod="good-0"',
  prometheus: 'pod="good-0"',
};

/**
 * Shows what this machine has no hardware or cluster for, under the names and labels of the exporters: GPUs, cAdvisor, kube-state-metrics and
 * jobs beside the server. Counters grow at every look.
 */
export async function startExporterStandIn(): Promise<{ readonly url: URL; close(): void }> {
  let looks = 0;
  const server = createServer((_, response) => {
    looks += 1;
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(exposition(looks));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}`), close: () => server.close() };
}

function exposition(looks: number): string {
  const resources = Object.values(resourceSeries)
    .filter(({ exporter }) => exporter !== 'prometheus' && exporter !== 'process')
    .map(({ series, exporter, kind }) => `${series}{${exporterLabels[exporter]}} ${kind === 'counter' ? looks : 1}`);
  const own = Object.values(qualityMetrics).map(({ name, kind, labels }) => {
    const values: Readonly<Record<string, string>> = { model_name: 'good', model_version: '1', feature: 'age' };
    const text = labels.map((label) => `${label}="${values[label] ?? ''}"`).join(',');
    return `${name}{${text}} ${kind === 'counter' ? looks : 1}`;
  });
  return `${[...resources, ...own].join('\n')}\n`;
}
