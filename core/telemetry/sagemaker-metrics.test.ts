import { describe, expect, test } from 'vitest';
import {
  bucketMetrics,
  eksMetrics,
  inCloudWatch,
  qualityMetrics,
  repositoryMetrics,
  sageMakerMetrics,
  servingMetrics,
  trainingMetrics,
} from './index.ts';

const metrics = [
  ...Object.values(eksMetrics),
  ...Object.values(sageMakerMetrics),
  ...Object.values(trainingMetrics),
  ...Object.values(bucketMetrics),
  ...Object.values(repositoryMetrics),
  inCloudWatch(qualityMetrics.featurePsi),
  inCloudWatch(qualityMetrics.driftChecked),
  inCloudWatch(servingMetrics.accuracy),
];

describe("CloudWatch's metrics", () => {
  test('are each another one', () => {
    const names = metrics.map(({ namespace, name }) => `${namespace} ${name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(metrics.map((metric) => [metric.name, metric] as const))('%s is one that CloudWatch takes', (_, metric) => {
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
    expect(metric.namespace).toMatch(/^[A-Za-z0-9._/#:-]{1,255}$/);
    expect(metric.dimensions.length).toBeGreaterThan(0);
    expect(metric.dimensions.length).toBeLessThanOrEqual(30);
    expect(metric.statistics.length).toBeGreaterThan(0);
    expect(metric.help).toMatch(/^[\dA-Z].+\.$/);
  });

  test('of ours keep the name and the labels that Prometheus has', () => {
    expect(inCloudWatch(qualityMetrics.featurePsi)).toMatchObject({
      name: qualityMetrics.featurePsi.name,
      dimensions: ['model_name', 'model_version', 'feature'],
    });
  });

  test('of Sluice are not published where AWS publishes', () => {
    for (const { namespace } of Object.values(trainingMetrics)) expect(namespace).not.toMatch(/^\/?aws/i);
  });
});
