import { type Chart, Duration } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest, pinnedFetchImages } from '../fixtures/gallery.ts';
import { manifestsOf, one, problemsOf, refusalText } from '../fixtures/test-chart.ts';
import { OnnxDeployment } from '../serving/onnx-deployment.ts';
import type { ServingProps } from '../serving/serving-props.ts';
import type { KafkaGoal } from './kafka-goal.ts';
import { KedaAutoscaler, type KedaAutoscalerProps } from './keda-autoscaler.ts';
import { ModelAutoscaler } from './model-autoscaler.ts';

const server = (chart: Chart, change: Partial<ServingProps> = {}) =>
  new OnnxDeployment(chart, 'churn', {
    image: `sluice-serve:1@sha256:${digest}`,
    model: { name: 'churn', version: '3' },
    file: { uri: 's3://m/m.onnx', sha256: digest },
    replicas: { min: 2, max: 8 },
    cpu: 1,
    memory: '1Gi',
    fetchImages: pinnedFetchImages,
    ...change,
  });
const keda =
  (change: Partial<KedaAutoscalerProps> = {}, ofServer: Partial<ServingProps> = {}) =>
  (chart: Chart) =>
    new KedaAutoscaler(chart, 'scaling', {
      target: server(chart, ofServer),
      prometheus: 'http://prometheus:9090',
      goals: { queued: 8 },
      ...change,
    });
const hpa =
  (ofServer: Partial<ServingProps> = {}, cpuPercent: number | undefined = 70) =>
  (chart: Chart) =>
    new ModelAutoscaler(chart, 'scaling', { target: server(chart, ofServer), cpuPercent });

describe('ModelAutoscaler', () => {
  test('keeps the bounds of the server, and the Deployment says no number of its own', () => {
    const manifests = manifestsOf(hpa());
    expect(one(manifests, 'HorizontalPodAutoscaler')['spec']).toMatchObject({ minReplicas: 2, maxReplicas: 8 });
    expect(one(manifests, 'Deployment')['spec']).not.toHaveProperty('replicas');
  });

  test('goes up at once and down one pod at a time', () => {
    const { scaleUp, scaleDown } = one(manifestsOf(hpa()), 'HorizontalPodAutoscaler')['spec'].behavior;
    expect(scaleUp.stabilizationWindowSeconds).toBe(0);
    expect(scaleDown).toEqual({
      stabilizationWindowSeconds: 300,
      policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
    });
  });

  test.each<[string, (chart: Chart) => unknown, string]>([
    [
      'a number that every apply sets back',
      hpa({ replicas: 2 }),
      'ModelAutoscaler "shop/scaling": target churn has 2 replicas whatever the autoscaler says: every apply sets them back. Give it bounds instead: replicas: { min: 2, max: 8 }.',
    ],
    [
      'one pod under a budget',
      hpa({ replicas: { min: 1, max: 4 }, disruption: { maxUnavailable: 1 } }),
      'ModelAutoscaler "shop/scaling": replicas.min 1 of churn with a PodDisruptionBudget: the last pod could never be evicted, or never be protected. Raise replicas.min to 2, or leave disruption out.',
    ],
    [
      'no reason to scale',
      (chart) => new ModelAutoscaler(chart, 'scaling', { target: server(chart) }),
      'ModelAutoscaler "shop/scaling": nothing says when to scale. Set cpuPercent, or name metrics.',
    ],
  ])('refuses %s', (_, build, text) => {
    expect(refusalText(build)).toBe(text);
  });
});

describe('KedaAutoscaler', () => {
  test('asks for one number, of this model and this version, and writes every value as a string', () => {
    const { triggers } = one(manifestsOf(keda({ goals: { queued: 8, p95: Duration.millis(100) } })), 'ScaledObject')[
      'spec'
    ];
    expect(triggers.map(({ name, metricType }: Record<string, string>) => [name, metricType])).toEqual([
      ['queued', 'AverageValue'],
      ['p95', 'Value'],
    ]);
    for (const { metadata } of triggers) {
      expect(metadata.query).toMatch(/\b(?:sum|histogram_quantile)\b/);
      expect(metadata.query).toContain('model_name="churn"');
      expect(metadata.query).toContain('sluice_dev_model_version="3"');
      for (const value of Object.values(metadata)) expect(typeof value).toBe('string');
    }
    expect(triggers[1].metadata.threshold).toBe('0.1');
  });

  test('falls back to the middle when Prometheus is gone, where KEDA can', () => {
    const spec = (goals: KedaAutoscalerProps['goals']) => one(manifestsOf(keda({ goals })), 'ScaledObject')['spec'];
    expect(spec({ queued: 8 }).fallback).toEqual({ failureThreshold: 3, replicas: 5 });
    expect(spec({ p95: Duration.seconds(1) })).not.toHaveProperty('fallback');
  });

  test('scales to nothing only where somebody else sees the first request', () => {
    const sleeping = { replicas: { min: 0, max: 4 } };
    expect(refusalText(keda({}, sleeping))).toBe(
      'KedaAutoscaler "shop/scaling": replicas.min 0 of churn: without pods the server has no metrics, so nothing would ever start one. Scale on the mesh in front of it (profile: \'istio\'), or set replicas.min to 1.',
    );
    const { minReplicaCount, triggers } = one(
      manifestsOf(keda({ profile: 'istio', goals: { requestsPerSecond: 10 } }, sleeping)),
      'ScaledObject',
    )['spec'];
    expect(minReplicaCount).toBe(0);
    expect(triggers[0].metadata.query).not.toContain('sluice_dev_model_version');
  });

  test('refuses a metric that the server does not have, with what to do instead', () => {
    expect(refusalText(keda({ profile: 'http', goals: { queued: 4 } }))).toMatch(
      /^KedaAutoscaler "shop\/scaling": goals\.queued: .+\. [A-Z].+$/,
    );
  });

  test('refuses goals that are none', () => {
    expect(refusalText(keda({ goals: {} }))).toBe(
      'KedaAutoscaler "shop/scaling": goals is empty, so nothing says when to scale. Set goals.queued, queueTime, p95, requestsPerSecond or kafka.',
    );
    expect(refusalText(keda({ goals: { queued: 0 } }))).toContain('goals.queued is not more than nothing: found 0');
  });

  describe('on the lag of a Kafka topic', () => {
    const kafka = {
      brokers: ['kafka-0.streams:9092', 'kafka-1.streams:9092'],
      topic: 'churn.requests',
      consumerGroup: 'churn',
      lag: 100,
      partitions: 8,
    } as const;
    const onLag =
      (change: Partial<KafkaGoal> = {}, ofServer: Partial<ServingProps> = {}) =>
      (chart: Chart) =>
        new KedaAutoscaler(chart, 'scaling', {
          target: server(chart, ofServer),
          goals: { kafka: { ...kafka, ...change } },
        });

    test('asks the brokers and nobody else, also for a server that sleeps', () => {
      const { triggers, minReplicaCount } = one(
        manifestsOf(onLag({ authentication: 'kafka-user', tls: true }, { replicas: { min: 0, max: 8 } })),
        'ScaledObject',
      )['spec'];
      expect(minReplicaCount).toBe(0);
      expect(triggers).toEqual([
        {
          type: 'kafka',
          name: 'kafka',
          metricType: 'AverageValue',
          metadata: {
            bootstrapServers: 'kafka-0.streams:9092,kafka-1.streams:9092',
            consumerGroup: 'churn',
            topic: 'churn.requests',
            lagThreshold: '100',
            activationLagThreshold: '0',
            offsetResetPolicy: 'latest',
            allowIdleConsumers: 'false',
            tls: 'enable',
          },
          authenticationRef: { name: 'kafka-user' },
        },
      ]);
    });

    test('stands beside what Prometheus measures', () => {
      const { triggers } = one(manifestsOf(keda({ goals: { queued: 8, kafka } })), 'ScaledObject')['spec'];
      expect(triggers.map(({ type }: { readonly type: string }) => type)).toEqual(['prometheus', 'kafka']);
    });

    test('refuses more pods than there are partitions', () => {
      expect(refusalText(onLag({ partitions: 6 }))).toBe(
        'KedaAutoscaler "shop/scaling": replicas.max 8 is more than the 6 partitions of goals.kafka.topic: a partition is read by one pod, so 2 would have nothing to do. Lower replicas.max to 6, or give the topic 8 partitions.',
      );
    });

    test('tells everything that is wrong with it at once', () => {
      const codes = problemsOf(onLag({ brokers: ['kafka', 'b:70000'], topic: 'a b', consumerGroup: ' ', lag: 0.5 }));
      expect(codes.map(({ code }) => code)).toEqual([
        'bad-broker',
        'bad-broker',
        'bad-topic',
        'no-consumer-group',
        'bad-goal',
      ]);
    });
  });

  test('refuses what only Prometheus knows when nobody says where it is', () => {
    const build = (chart: Chart) =>
      new KedaAutoscaler(chart, 'scaling', { target: server(chart), goals: { queued: 8 } });
    expect(refusalText(build)).toBe(
      'KedaAutoscaler "shop/scaling": nothing says where to ask for goals.queued. Set prometheus to its address: \'http://prometheus.monitoring:9090\'.',
    );
  });
});
