import type { KedaTrigger } from '../crd/keda.ts';
import type { Findings } from '../problem.ts';

/** How far the consumers of a Kafka topic may be behind. */
export interface KafkaGoal {
  /** `host:port` of brokers to begin with, as KEDA reaches them. */
  readonly brokers: readonly [string, ...string[]];
  readonly topic: string;
  /** The group the pods read as. */
  readonly consumerGroup: string;
  /** Messages behind, for each pod. */
  readonly lag: number;
  /**
   * Partitions of the topic. A partition is read by one pod of a group, so more pods would have nothing to do: `replicas.max` is then held
   * against it.
   * @default KEDA asks the brokers, and makes no more pods than there are
   */
  readonly partitions?: number;
  /**
   * Where a group that has read nothing begins: must be what the consumers are set to.
   * @default 'latest'
   */
  readonly offsetResetPolicy?: 'latest' | 'earliest';
  /** Whether the brokers speak TLS. @default false */
  readonly tls?: boolean;
  /** Name of a TriggerAuthentication with the brokers' user (`sasl`, `username`, `password`) or certificates. @default none */
  readonly authentication?: string;
}

/**
 * KEDA's trigger on the lag of a consumer group; `max`: the most pods there may be. KEDA asks the brokers and not the pods, so that it also
 * wakes a server that sleeps. Source: https://keda.sh/docs/2.22/scalers/apache-kafka/
 */
export function kafkaTriggers(goal: KafkaGoal | undefined, max: number, findings: Findings): readonly KedaTrigger[] {
  if (goal === undefined) return [];
  const { brokers, topic, consumerGroup, lag, partitions, offsetResetPolicy = 'latest', tls = false } = goal;
  for (const broker of brokers) {
    const [, port = '0'] = /^[A-Za-z0-9][A-Za-z0-9.-]*:(\d{1,5})$/.exec(broker) ?? [];
    findings.demand(Number(port) >= 1 && Number(port) <= 65_535, () => ({
      code: 'bad-broker',
      message: 'goals.kafka.brokers has an address that is none',
      found: broker,
      expected: 'host:port',
      fix: 'Write it as kafka.streams:9092.',
    }));
  }
  // Kafka's own rule for topics; a group may be called anything that is no list for KEDA.
  findings.demand(/^[A-Za-z0-9._-]{1,249}$/.test(topic), () => ({
    code: 'bad-topic',
    message: 'goals.kafka.topic is no name of a topic',
    found: topic,
    expected: 'at most 249 letters, digits, ".", "_" and "-"',
    fix: 'Correct it.',
  }));
  findings.demand(consumerGroup.trim() !== '', () => ({
    code: 'no-consumer-group',
    message: 'goals.kafka.consumerGroup is empty, so nobody could be behind',
    fix: 'Name the group the pods read as.',
  }));
  findings.demand(Number.isInteger(lag) && lag >= 1, () => ({
    code: 'bad-goal',
    message: 'goals.kafka.lag is no number of messages',
    found: String(lag),
    expected: 'a whole number from 1',
    fix: 'Set it to what one pod works off in the time a message may wait.',
  }));
  findings.demand(partitions === undefined || max <= partitions, () => ({
    code: 'idle-consumers',
    message: `replicas.max ${max} is more than the ${partitions} partitions of goals.kafka.topic: a partition is read by one pod, so ${max - (partitions ?? 0)} would have nothing to do`,
    fix: `Lower replicas.max to ${partitions}, or give the topic ${max} partitions.`,
  }));
  return [
    {
      type: 'kafka',
      name: 'kafka',
      metricType: 'AverageValue',
      metadata: {
        bootstrapServers: brokers.join(','),
        consumerGroup,
        topic,
        lagThreshold: String(lag),
        // One message is enough to wake a model that sleeps.
        activationLagThreshold: '0',
        offsetResetPolicy,
        // More pods than partitions would be idle.
        allowIdleConsumers: 'false',
        tls: tls ? 'enable' : 'disable',
      },
      ...(goal.authentication === undefined ? {} : { authenticationRef: { name: goal.authentication } }),
    },
  ];
}
