import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExposition, qualityMetrics } from '../../core/telemetry/index.ts';
import { type ColumnDistance, metricsText, tellMetrics } from './drift-metrics.ts';

const whose = { model: 'churn', modelVersion: '3' };
const distances: readonly ColumnDistance[] = [
  { column: 'age', measure: 'psi', observed: 0.25 },
  { column: 'age', measure: 'ks', observed: 0.5 },
  { column: 'age', measure: 'kl', observed: 0.125 },
];

test('the numbers are those that the dashboards and alert rules read', () => {
  const { families } = parseExposition(metricsText(distances, whose, 1_800_000_000));
  const samples = families.flatMap((family) =>
    family.samples.map(({ labels, value }) => [family.name, family.type, labels, value]),
  );
  const labels = { model_name: 'churn', model_version: '3' };
  expect(samples).toEqual([
    [qualityMetrics.featurePsi.name, 'gauge', { ...labels, feature: 'age' }, 0.25],
    [qualityMetrics.featureKl.name, 'gauge', { ...labels, feature: 'age' }, 0.125],
    [qualityMetrics.driftChecked.name, 'gauge', labels, 1_800_000_000],
  ]);
});

test('any column name is a label and nothing else', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.string(), (column, model) => {
      const text = metricsText([{ column, measure: 'psi', observed: 0.5 }], { model, modelVersion: '1' }, 1);
      const { families, errors } = parseExposition(text);
      expect(errors).toEqual([]);
      const labels = families.flatMap(({ samples }) => samples.map((sample) => sample.labels));
      expect(labels).toContainEqual({ model_name: model, model_version: '1', feature: column });
      expect(labels).toHaveLength(2);
    }),
  );
});

test('a Pushgateway gets the group of the model, whatever its name', async () => {
  const seen: string[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      seen.push(`${request.method} ${request.url} ${Buffer.concat(parts)}`);
      response.writeHead(status).end('text format parsing error\u001b[31m');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pushTo = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    await tellMetrics('a 1\n', { pushTo, model: 'a/b', modelVersion: '' }, '.');
    expect(seen).toEqual(['PUT /metrics/job/sluice_drift/model_name@base64/YS9i/model_version@base64/= a 1\n']);
    status = 400;
    const refused = tellMetrics('a 1\n', { pushTo, ...whose }, '.');
    await expect(refused).rejects.toThrow(/did not take the metrics: found 400: text format parsing error\\u\{1b\}/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
  await expect(tellMetrics('a 1\n', { pushTo, ...whose }, '.')).rejects.toThrow(/did not take the metrics/);
  await expect(tellMetrics('a 1\n', { pushTo: 'pushgateway', ...whose }, '.')).rejects.toThrow(/is at no address/);
});

test('a file gets them, or says why it cannot', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-metrics-'));
  await tellMetrics('a 1\n', { file: 'drift.prom', ...whose }, directory);
  expect(await readFile(join(directory, 'drift.prom'), 'utf8')).toBe('a 1\n');
  await expect(tellMetrics('a 1\n', { file: 'no/drift.prom', ...whose }, directory)).rejects.toThrow(/ENOENT/);
  await rm(directory, { recursive: true });
});
